#!/usr/bin/env node
import { runCli } from './cli/cli.js';

// The one place that ends the process: every command answers its exit code.
process.exit(await runCli(process.argv.slice(2)));
