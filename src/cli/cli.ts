import path from 'node:path';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { DropgateError, EXIT, messageOf, REASONS, type ReasonCode } from '../base/errors.js';
import { nearest } from '../base/suggest.js';
import { VERSION } from '../base/version.js';
import { loadSettings } from '../config/load-settings.js';
import type { Command, CommandContext } from './command.js';

/** Each command is loaded when it is asked for: the daemon starts without the modules of the others. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import('./run.js')).runCommand,
  once: async () => (await import('./once.js')).onceCommand,
  check: async () => (await import('./check.js')).checkCommand,
  init: async () => (await import('./init.js')).initCommand,
  status: async () => (await import('./status.js')).statusCommand,
  retry: async () => (await import('./retry.js')).retryCommand,
  query: async () => (await import('./query.js')).queryCommand,
  doctor: async () => (await import('./doctor.js')).doctorCommand,
  'hash-password': async () => (await import('./hash-password.js')).hashPasswordCommand,
};

const COMMON_OPTIONS = {
  root: { type: 'string' },
  config: { type: 'string' },
  quiet: { type: 'boolean', short: 'q' },
  version: { type: 'boolean', short: 'V' },
  help: { type: 'boolean', short: 'h' },
} as const satisfies ParseArgsConfig['options'];

const COMMON_HELP = `Common options:
  --root DIR     the folder with input_csv/, output_parquet/, state/ (default: the current folder)
  --config DIR   the folder with the configuration (default: ROOT/config)
  -q, --quiet    show results and errors only
  -V, --version  show the version
  -h, --help     show this page, or the page of a command

Exit codes: 0 done, 1 unexpected fault, 2 usage or configuration, 3 some files failed,
            4 database unreachable, 5 locked by another Dropgate`;

/** Runs one command line and answers the exit code. Never throws. */
export async function runCli(args: readonly string[]): Promise<number> {
  try {
    return await dispatch(args);
  } catch (error) {
    return tellError(error);
  }
}

async function dispatch(args: readonly string[]): Promise<number> {
  const name = args.find((arg) => !arg.startsWith('-'));
  const load = Object.hasOwn(COMMANDS, args[0] ?? '') ? COMMANDS[args[0]] : undefined;
  if (!load) return withoutCommand(args, name);
  const command = await load();
  const { values, positionals } = parse(command, args.slice(1));
  if (values.help) {
    process.stdout.write(`${helpOf(command)}\n`);
    return EXIT.done;
  }
  return command.run(contextOf(values, positionals));
}

async function withoutCommand(args: readonly string[], name: string | undefined): Promise<number> {
  if (args.includes('--version') || args.includes('-V')) {
    process.stdout.write(`${VERSION}\n`);
    return EXIT.done;
  }
  if (args.includes('--help') || args.includes('-h') || args[0] === 'help') {
    process.stdout.write(`${await generalHelp()}\n`);
    return EXIT.done;
  }
  if (name === undefined)
    throw new DropgateError('usage', 'no command is given', { hint: await generalHelp() });
  const near = nearest(name, Object.keys(COMMANDS));
  const suggestion = near === undefined ? '' : `; did you mean "${near}"?`;
  throw new DropgateError(
    'usage',
    args[0] === name
      ? `there is no command "${name}"${suggestion}`
      : 'the command comes first, options behind it',
  );
}

function parse(command: Command, args: string[]) {
  try {
    return parseArgs({ args, options: { ...COMMON_OPTIONS, ...command.options }, allowPositionals: true });
  } catch (error) {
    throw new DropgateError('usage', messageOf(error), { hint: `Run "dropgate ${command.name} --help".` });
  }
}

function contextOf(values: Record<string, unknown>, positionals: string[]): CommandContext {
  const root = path.resolve((values.root as string | undefined) ?? '.');
  const configDir =
    values.config === undefined ? path.join(root, 'config') : path.resolve(values.config as string);
  const isQuiet = values.quiet === true;
  return {
    root,
    configDir,
    isQuiet,
    values: values as CommandContext['values'],
    positionals,
    settings: () => loadSettings({ root, configDir, env: process.env }),
    out: (line) => process.stdout.write(`${line}\n`),
    say: (line) => {
      if (!isQuiet) process.stderr.write(`${line}\n`);
    },
  };
}

async function generalHelp(): Promise<string> {
  const commands = await Promise.all(Object.values(COMMANDS).map((load) => load()));
  const width = Math.max(
    ...commands.map(({ name, argumentsText }) => name.length + argumentsText.length + 1),
  );
  const list = commands.map(
    ({ name, argumentsText, summary }) => `  ${`${name} ${argumentsText}`.padEnd(width)}  ${summary}`,
  );
  return `Usage: dropgate COMMAND [options]\n\nCommands:\n${list.join('\n')}\n\n${COMMON_HELP}`;
}

function helpOf({ name, argumentsText, summary, details }: Command): string {
  const usage = `Usage: dropgate ${name} ${argumentsText}`.trimEnd();
  return [usage, '', summary, ...(details ? ['', details] : []), '', COMMON_HELP].join('\n');
}

const EXIT_OF_AREA = {
  config: EXIT.usage,
  columns: EXIT.filesFailed,
  rows: EXIT.filesFailed,
  file: EXIT.filesFailed,
};

/** The exit code that a reason code ends a command with. */
export function exitCodeOf(code: ReasonCode): number {
  if (code === 'locked') return EXIT.locked;
  if (code === 'usage' || code === 'query_refused') return EXIT.usage;
  if (code === 'database_unreachable') return EXIT.database;
  const { area } = REASONS[code];
  return area in EXIT_OF_AREA ? EXIT_OF_AREA[area as keyof typeof EXIT_OF_AREA] : EXIT.fault;
}

function tellError(error: unknown): number {
  if (error instanceof DropgateError) {
    process.stderr.write(`dropgate: ${error.message} [${error.code}]\n${error.hint}\n`);
    return exitCodeOf(error.code);
  }
  process.stderr.write(
    `dropgate: unexpected fault: ${error instanceof Error ? (error.stack ?? error.message) : error}\n`,
  );
  return EXIT.fault;
}
