#!/usr/bin/env node
import { runCli } from './cli/cli.js';

const exitCode = await runCli(process.argv.slice(2));
// What a reader at the other end of a pipe has not taken yet would be lost with the process.
await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
// The one place that ends the process: every command answers its exit code.
process.exit(exitCode);

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    // A reader that went away (`| head`) has had enough.
    stream.once('error', () => resolve());
    stream.write('', () => resolve());
  });
}
