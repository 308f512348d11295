import { existsSync, readFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { fileOps } from '../../src/base/files.js';
import { formatLine, type Log, type LogOptions, openLog } from '../../src/base/log.js';
import { tempDir } from '../helpers/temp-dir.js';

const opened: Log[] = [];
const realOps = { ...fileOps };
afterEach(() => {
  Object.assign(fileOps, realOps);
  for (const log of opened.splice(0)) log.close();
});

function open(options: Partial<LogOptions> = {}): { log: Log; file: string; lines: () => string[] } {
  const file = path.join(tempDir(), 'logs', 'conversion_log.txt');
  const log = openLog({ file, level: 'info', json: false, ...options });
  opened.push(log);
  return { log, file, lines: () => linesOf(file) };
}

function linesOf(file: string): string[] {
  return readFileSync(file, 'utf8').split('\n').slice(0, -1);
}

const LINE = /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2},\d{3} - (INFO|WARNING|ERROR) - (.*)$/;

/** Level and message of a line, without its time. */
function parsed(line: string): string {
  const match = LINE.exec(line);
  return match ? `${match[1]}: ${match[2]}` : `not a log line: ${line}`;
}

describe('a line', () => {
  it('has local time with milliseconds, level and message', () => {
    const time = new Date(2026, 10, 22, 6, 31, 2, 123);
    expect(formatLine(time, 30, 'Converted input_csv/scores.csv')).toBe(
      '2026-11-22 06:31:02,123 - INFO - Converted input_csv/scores.csv',
    );
    expect(formatLine(time, 40, 'x')).toBe('2026-11-22 06:31:02,123 - WARNING - x');
    expect(formatLine(time, 50, 'x')).toBe('2026-11-22 06:31:02,123 - ERROR - x');
    expect(formatLine(new Date(2026, 0, 2, 3, 4, 5, 6), 30, 'x')).toBe('2026-01-02 03:04:05,006 - INFO - x');
  });

  it('stays one line, whatever is in the message', () => {
    expect(formatLine(new Date(2026, 0, 1), 30, 'a\nb\u001b[2J\u2028c')).toBe(
      '2026-01-01 00:00:00,000 - INFO - a\\nb\\u001b[2J\\u2028c',
    );
  });
});

describe('the log file', () => {
  it('is made with its folder and takes lines of every level', () => {
    const { log, lines } = open();
    log.info('one');
    log.warning('two', { event: 'duplicate' });
    log.error('three\nlines in one');
    expect(lines().map(parsed)).toEqual(['INFO: one', 'WARNING: two', 'ERROR: three\\nlines in one']);
  });

  it('is appended to', () => {
    const { log, file, lines } = open();
    log.info('first run');
    log.close();
    const second = openLog({ file, level: 'info', json: false });
    opened.push(second);
    second.info('second run');
    expect(lines().map(parsed)).toEqual(['INFO: first run', 'INFO: second run']);
  });

  it('leaves out what is below its level', () => {
    const { log, lines } = open({ level: 'warning' });
    log.info('no');
    log.warning('yes');
    log.error('yes, too');
    expect(lines().map(parsed)).toEqual(['WARNING: yes', 'ERROR: yes, too']);
  });

  it('is echoed line by line as text, also when it is JSON itself', () => {
    const echoed: string[] = [];
    const { log, lines } = open({ json: true, echo: (line) => echoed.push(line) });
    log.warning('a\tb', { event: 'failed', code: 'ragged_row' });
    expect(echoed.map(parsed)).toEqual(['WARNING: a\\tb']);
    const [entry] = lines().map((line) => JSON.parse(line));
    expect(entry).toMatchObject({ level: 40, msg: 'a\tb', event: 'failed', code: 'ragged_row' });
    expect(entry.time).toEqual(expect.any(Number));
  });

  it('is opened anew after logrotate moved it away', () => {
    const { log, file, lines } = open();
    log.info('before');
    renameSync(file, `${file}.1`);
    log.info('still the old file');
    expect(existsSync(file)).toBe(false);
    log.reopen();
    log.info('after');
    expect(linesOf(`${file}.1`).map(parsed)).toEqual(['INFO: before', 'INFO: still the old file']);
    expect(lines().map(parsed)).toEqual(['INFO: after']);
  });

  it('can be closed twice and takes lines even then', () => {
    const { log, lines } = open();
    log.info('one');
    log.close();
    log.close();
    log.info('two');
    expect(lines().map(parsed)).toEqual(['INFO: one', 'INFO: two']);
  });
});

describe('lines that are logged together', () => {
  it.each([false, true])('are written by one call, in their order (JSON: %s)', (json) => {
    const calls: string[] = [];
    fileOps.writeSync = ((fd: number, bytes: Uint8Array, offset: number, length: number) => {
      calls.push(Buffer.from(bytes.subarray(offset, offset + length)).toString());
      return realOps.writeSync(fd, bytes, offset, length);
    }) as typeof fileOps.writeSync;
    const echoed: string[] = [];
    const { log, lines } = open({ json, echo: (text) => echoed.push(text) });
    log.info('before');
    log.together(() => {
      log.info('one');
      log.warning('two');
    });
    log.together(() => undefined);
    log.info('after');
    expect(calls).toHaveLength(3);
    const messages = lines().map((line) => (json ? JSON.parse(line).msg : parsed(line).split(': ')[1]));
    expect(messages).toEqual(['before', 'one', 'two', 'after']);
    expect(echoed.map((text) => text.split('\n').map(parsed))).toEqual([
      ['INFO: before'],
      ['INFO: one', 'WARNING: two'],
      ['INFO: after'],
    ]);
  });

  it('are written also when the work throws, which goes on', () => {
    const { log, lines } = open();
    const failing = () => {
      log.info('one');
      throw new Error('no');
    };
    expect(() => log.together(failing)).toThrow('no');
    log.info('two');
    expect(lines().map(parsed)).toEqual(['INFO: one', 'INFO: two']);
  });

  it('are all counted when the disk refuses them', () => {
    const { log, lines } = open();
    fileOps.writeSync = full;
    log.together(() => {
      log.info('lost');
      log.info('lost, too');
    });
    Object.assign(fileOps, realOps);
    log.info('after');
    expect(parsed(lines()[0])).toBe('WARNING: 2 log lines could not be written before this one');
  });
});

describe('a log that cannot be written', () => {
  it.skipIf(!existsSync('/dev/full'))('never throws on a full disk, and still tells the console', () => {
    const echoed: string[] = [];
    const log = openLog({ file: '/dev/full', level: 'info', json: false, echo: (line) => echoed.push(line) });
    opened.push(log);
    for (const message of ['one', 'two', 'three']) log.info(message);
    log.reopen();
    log.error('four');
    expect(echoed.map(parsed)).toEqual(['INFO: one', 'INFO: two', 'INFO: three', 'ERROR: four']);
  });

  it('never throws when its folder cannot be made', () => {
    const log = openLog({ file: '/dev/null/logs/log.txt', level: 'info', json: false });
    opened.push(log);
    log.info('lost');
  });

  it.each([false, true])('tells afterwards how much was lost (JSON: %s)', (json) => {
    const { log, lines } = open({ json });
    log.info('before');
    fileOps.writeSync = full;
    log.info('lost');
    log.info('lost, too');
    fileOps.writeSync = realOps.writeSync;
    log.info('after');
    log.info('and on');
    const messages = lines().map((line) => (json ? JSON.parse(line).msg : parsed(line)));
    const [info, warning] = json ? ['', ''] : ['INFO: ', 'WARNING: '];
    expect(messages).toEqual([
      `${info}before`,
      `${warning}2 log lines could not be written before this one`,
      `${info}after`,
      `${info}and on`,
    ]);
  });

  it('begins a new line after one that was cut short by a full disk', () => {
    const { log, lines } = open();
    log.info('before');
    let calls = 0;
    fileOps.writeSync = ((fd: number, bytes: Uint8Array, offset: number) => {
      if (calls++ > 0) return full();
      return realOps.writeSync(fd, bytes, offset, 10);
    }) as typeof fileOps.writeSync;
    log.info('cut short');
    fileOps.writeSync = realOps.writeSync;
    log.info('after');
    const [before, cut, ...rest] = lines();
    expect(parsed(before)).toBe('INFO: before');
    expect(cut).toMatch(/^\d{4}-\d{2}-\d{2}$/);
    expect(rest.map(parsed)).toEqual([
      'WARNING: 1 log line could not be written before this one',
      'INFO: after',
    ]);
  });

  it('never throws when it cannot be closed', () => {
    const { log, lines } = open();
    log.info('one');
    fileOps.writeSync = full;
    fileOps.closeSync = ((fd: number) => {
      realOps.closeSync(fd);
      full();
    }) as typeof fileOps.closeSync;
    log.info('lost');
    log.reopen();
    Object.assign(fileOps, realOps);
    log.info('two');
    expect(lines().map(parsed)).toContain('INFO: two');
  });
});

function full(): never {
  throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
}
