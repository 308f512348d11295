import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { type Logger as PinoLogger, pino } from 'pino';
import { fileOps } from './files.js';
import { escapeControls, plural } from './text.js';

/** Fields that go into the NDJSON form and into `debug` tools; the text form shows only the message. */
export type LogFields = Record<string, unknown>;

/** What the rest of the program needs of a log. */
export interface Log {
  info(message: string, fields?: LogFields): void;
  warning(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** Opens the file anew, after logrotate moved it. */
  reopen(): void;
  close(): void;
}

export interface LogOptions {
  /** Absolute path of conversion_log.txt. */
  file: string;
  level: 'info' | 'warning' | 'error';
  json: boolean;
  /** Also called with each formatted line, for the console. */
  echo?: (line: string) => void;
}

const LEVELS = { info: 30, warning: 40, error: 50 } as const;
const LEVEL_NAMES: Record<number, string> = { 30: 'INFO', 40: 'WARNING', 50: 'ERROR' };

/**
 * Opens the log. Each line is written by one synchronous call before the program goes on, so that a line that was
 * logged is there after a crash, and two processes that append never mix their lines.
 */
export function openLog(options: LogOptions): Log {
  const sink = new LineFile(options);
  const logger: PinoLogger<'warning'> = pino(
    {
      level: options.level,
      customLevels: { warning: LEVELS.warning },
      useOnlyCustomLevels: false,
      base: undefined,
    },
    sink,
  );
  const write =
    (level: 'info' | 'warning' | 'error') =>
    (message: string, fields: LogFields = {}) =>
      logger[level](fields, message);
  return {
    info: write('info'),
    warning: write('warning'),
    error: write('error'),
    reopen: () => sink.reopen(),
    close: () => sink.close(),
  };
}

const LF = 10;

/** The destination behind pino: turns its NDJSON line into the text form and appends it to the file. */
class LineFile {
  readonly #options: LogOptions;
  #fd: number | undefined;
  /** Lines that a full or vanished disk refused; told with the next line that goes through. */
  #lost = 0;
  /** The last line was cut short by a full disk. */
  #isTorn = false;

  constructor(options: LogOptions) {
    this.#options = options;
  }

  write(json: string): void {
    const { time, level, msg } = JSON.parse(json) as { time: number; level: number; msg: string };
    const text = formatLine(new Date(time), level, msg);
    this.#options.echo?.(text);
    this.#append(this.#options.json ? json : `${text}\n`);
  }

  reopen(): void {
    this.close();
  }

  close(): void {
    const fd = this.#fd;
    this.#fd = undefined;
    try {
      if (fd !== undefined) fileOps.closeSync(fd);
    } catch {
      // Some network mounts tell of a full disk only now. There is nowhere to write it down.
    }
  }

  #append(line: string): void {
    try {
      this.#fd ??= this.#open();
      this.#write(this.#fd, this.#lossNotice() + line);
      this.#lost = 0;
    } catch {
      // A log that cannot be written must not stop the work; what was lost is counted and told afterwards.
      this.#lost++;
      this.close();
    }
  }

  #write(fd: number, text: string): void {
    const bytes = Buffer.from(this.#isTorn ? `\n${text}` : text);
    for (let done = 0; done < bytes.length; ) {
      done += fileOps.writeSync(fd, bytes, done, bytes.length - done);
      this.#isTorn = bytes[done - 1] !== LF;
    }
  }

  #open(): number {
    mkdirSync(path.dirname(this.#options.file), { recursive: true });
    return fileOps.openSync(this.#options.file, 'a');
  }

  #lossNotice(): string {
    if (this.#lost === 0) return '';
    const msg = `${plural(this.#lost, 'log line')} could not be written before this one`;
    if (this.#options.json) return `${JSON.stringify({ level: LEVELS.warning, time: Date.now(), msg })}\n`;
    return `${formatLine(new Date(), LEVELS.warning, msg)}\n`;
  }
}

/** `2026-11-22 06:31:02,123 - INFO - message`, local time, control characters escaped. */
export function formatLine(time: Date, level: number, message: string): string {
  return `${formatTime(time)} - ${LEVEL_NAMES[level] ?? 'INFO'} - ${escapeControls(message)}`;
}

function formatTime(time: Date): string {
  const two = (n: number) => String(n).padStart(2, '0');
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  return `${date} ${clock},${String(time.getMilliseconds()).padStart(3, '0')}`;
}
