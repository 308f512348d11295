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
  /** The lines that `work` logs are written by one call, which has been made when this returns. */
  together(work: () => void): void;
  /** Opens the file anew, after logrotate moved it. */
  reopen(): void;
  close(): void;
}

export interface LogOptions {
  /** Absolute path of conversion_log.txt. */
  file: string;
  level: 'info' | 'warning' | 'error';
  json: boolean;
  /** Also called with what is written, in the text form, for the console: one line, or several that were logged together. */
  echo?: (lines: string) => void;
}

const LEVELS = { info: 30, warning: 40, error: 50 } as const;
const LEVEL_NAMES: Record<number, string> = { 30: 'INFO', 40: 'WARNING', 50: 'ERROR' };

/**
 * Opens the log. Each line, or each group of lines that are logged together, is written by one synchronous call before the
 * program goes on, so that what was logged is there after a crash, and two processes that append never mix their lines.
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
    together: (work) => sink.together(work),
    reopen: () => sink.reopen(),
    close: () => sink.close(),
  };
}

const LF = 10;

interface LogLine {
  /** As pino wrote it, with its line end. */
  json: string;
  text: string;
}

/** The destination behind pino: turns its NDJSON line into the text form and appends it to the file. */
class LineFile {
  readonly #options: LogOptions;
  #fd: number | undefined;
  /** Lines that wait for the end of their group; undefined outside of one. */
  #group: LogLine[] | undefined;
  /** Lines that a full or vanished disk refused; told with the next line that goes through. */
  #lost = 0;
  /** The last line was cut short by a full disk. */
  #isTorn = false;

  constructor(options: LogOptions) {
    this.#options = options;
  }

  write(json: string): void {
    const { time, level, msg } = JSON.parse(json) as { time: number; level: number; msg: string };
    const line = { json, text: formatLine(new Date(time), level, msg) };
    if (this.#group) this.#group.push(line);
    else this.#put([line]);
  }

  together(work: () => void): void {
    if (this.#group) throw new TypeError('lines are being logged together already');
    const group: LogLine[] = [];
    this.#group = group;
    try {
      work();
    } finally {
      this.#group = undefined;
      if (group.length > 0) this.#put(group);
    }
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

  #put(lines: readonly LogLine[]): void {
    const text = lines.map((line) => line.text).join('\n');
    this.#options.echo?.(text);
    try {
      this.#fd ??= this.#open();
      const written = this.#options.json ? lines.map(({ json }) => json).join('') : `${text}\n`;
      this.#write(this.#fd, this.#lossNotice() + written);
      this.#lost = 0;
    } catch {
      // A log that cannot be written must not stop the work; what was lost is counted and told afterwards.
      this.#lost += lines.length;
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
