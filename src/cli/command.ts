import type { ParseArgsConfig } from 'node:util';
import type { Settings } from '../config/settings.js';

/** What a command is given. */
export interface CommandContext {
  /** Absolute path of the root folder. */
  root: string;
  /** Absolute path of the configuration folder. */
  configDir: string;
  /** Nothing but results and errors is to be shown. */
  isQuiet: boolean;
  /** Values of the command's own options. */
  values: Record<string, string | boolean | undefined>;
  positionals: string[];
  /** Reads and checks the configuration. Errors: those of `loadSettings`. */
  settings(): Settings;
  /** Writes a line to standard output: the result, and nothing else. */
  out(line: string): void;
  /** Writes a line to standard error: everything that is not the result; nothing when quiet. */
  say(line: string): void;
}

/** One command of `dropgate`. */
export interface Command {
  name: string;
  /** What stands behind the name in a usage line, such as `FILE...`. */
  argumentsText: string;
  /** One line for the list of commands. */
  summary: string;
  /** The rest of its help page. */
  details: string;
  options: NonNullable<ParseArgsConfig['options']>;
  /** Answers the exit code. Errors: DropgateError, turned into message and exit code by the caller. */
  run(context: CommandContext): Promise<number>;
}
