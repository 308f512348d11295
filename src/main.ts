#!/usr/bin/env node
// A reader at the other end of a pipe that goes away (`| head`) has had enough; that is no fault.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
// Loaded late, so that this file stays the only one outside dist/program/: see vite.program.config.ts.
const { runCli } = await import('./cli/cli.js');
const exitCode = await runCli(process.argv.slice(2));
// What a reader has not taken yet would be lost with the process.
await Promise.all([process.stdout, process.stderr].map(flush));
// The one place that ends the process: every command answers its exit code.
process.exit(exitCode);

function flush(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve());
  });
}
