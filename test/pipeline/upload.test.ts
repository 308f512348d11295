import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sweepTempFiles } from '../../src/base/files.js';
import { receiveUpload, type UploadPlace } from '../../src/pipeline/upload.js';
import { FaultyDisk } from '../base/faulty-disk.js';
import { tempDir } from '../helpers/temp-dir.js';

let place: UploadPlace;
beforeEach(() => {
  place = { folder: tempDir(), maxBytes: 1000, hasMarkers: false };
});

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

function upload(name: string, content = pieces('a,b\n', '1,2\n'), announcedBytes?: number) {
  return receiveUpload({ name, announcedBytes, content }, { place });
}

const names = () => readdirSync(place.folder).sort();

describe('an upload', () => {
  it('appears whole under its name', async () => {
    expect(await upload('scores.csv', pieces('a,b\n', '1,2\n'), 8)).toEqual({ name: 'scores.csv', bytes: 8 });
    expect(names()).toEqual(['scores.csv']);
    expect(readFileSync(path.join(place.folder, 'scores.csv'), 'utf8')).toBe('a,b\n1,2\n');
  });

  it('gets its marker where one is needed', async () => {
    place.hasMarkers = true;
    await upload('scores.csv');
    expect(names()).toEqual(['scores.csv', 'scores.csv.done']);
  });

  it('never takes the name of another file, and of two of one name one is whole', async () => {
    writeFileSync(path.join(place.folder, 'there.csv'), 'before');
    await expect(upload('there.csv')).rejects.toMatchObject({ code: 'upload_name_taken' });
    expect(readFileSync(path.join(place.folder, 'there.csv'), 'utf8')).toBe('before');

    const texts = ['first', 'other'].map((word) => Array(20).fill(`${word}\n`) as string[]);
    const ends = await Promise.allSettled(texts.map((text) => upload('same.csv', pieces(...text))));
    expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const winner = texts[ends.findIndex(({ status }) => status === 'fulfilled')];
    expect(readFileSync(path.join(place.folder, 'same.csv'), 'utf8')).toBe(winner.join(''));
    expect(names()).toEqual(['same.csv', 'there.csv']);
  });

  const brokenOff = async function* () {
    yield Buffer.from('a,b\n');
    throw new Error('aborted');
  };

  it.each([
    ['breaks off', brokenOff(), undefined, 'upload_broken_off'],
    ['is shorter than announced', pieces('a'), 2, 'upload_broken_off'],
    ['grows too long', pieces('x'.repeat(600), 'x'.repeat(600)), undefined, 'upload_too_large'],
    ['is announced too long', pieces('a'), 1001, 'upload_too_large'],
  ])('that %s leaves nothing', async (_, content, announcedBytes, code) => {
    await expect(upload('a.csv', content, announcedBytes)).rejects.toMatchObject({ code });
    expect(names()).toEqual([]);
  });

  it('is refused when it would not fit on the disk', async () => {
    place.maxBytes = Number.MAX_SAFE_INTEGER;
    await expect(upload('a.csv', pieces('a'), 2 ** 52)).rejects.toMatchObject({ code: 'upload_disk_full' });
  });

  it('cannot be written where the folder is missing', async () => {
    place.folder = path.join(place.folder, 'missing');
    await expect(upload('a.csv')).rejects.toMatchObject({ code: 'upload_unwritable' });
  });
});

describe('a name', () => {
  const longest = `${'ž'.repeat(125)}a.csv`;

  it.each(['scores.csv', 'Žluť 2.TSV', 'a.b.txt.gz', "it's.csv", longest])('%s is taken', async (name) => {
    await upload(name);
    expect(names()).toEqual([name]);
  });

  it.each([
    '',
    '.',
    '..',
    '../a.csv',
    '/etc/a.csv',
    'a/b.csv',
    'a\\b.csv',
    '.hidden.csv',
    '-rf.csv',
    'a.csv~',
    'a.csv.part',
    'a.csv.done',
    'a.exe',
    'a.parquet',
    'csv',
    'a\0.csv',
    'a\n.csv',
    'a\u202evsc.csv',
    'a\ud800.csv',
    `a${longest}`,
  ])('%j is not taken', async (name) => {
    await expect(upload(name)).rejects.toMatchObject({ code: 'upload_name' });
    expect(names()).toEqual([]);
  });

  it('leaves room for its marker', async () => {
    place.hasMarkers = true;
    await expect(upload(longest)).rejects.toMatchObject({ code: 'upload_name' });
    await upload(`${'a'.repeat(246)}.csv`);
    expect(names()).toHaveLength(2);
  });
});

describe('on a disk that fails', () => {
  let disk: FaultyDisk | undefined;
  afterEach(() => disk?.restore());

  it.each([false, true])('an upload is there as a whole or not at all (markers: %s)', async (hasMarkers) => {
    place.hasMarkers = hasMarkers;
    const whole = hasMarkers ? ['a.csv', 'a.csv.done'] : ['a.csv'];
    for (let failAt = 1; ; failAt++) {
      place.folder = tempDir();
      disk = new FaultyDisk({ failAt });
      const error = await upload('a.csv').then(
        () => undefined,
        (error: { code: string }) => error,
      );
      disk.restore();
      expect(error === undefined || error.code === 'upload_disk_full').toBe(true);
      expect(names(), disk.calls.join(', ')).toEqual(error ? [] : whole);
      if (!disk.hasFailed) break;
    }
  });

  it('leaves a part to the next start when the process dies, and that finds it', async () => {
    disk = new FaultyDisk({ failAt: 2, isCrash: true });
    await expect(upload('a.csv')).rejects.toThrow();
    disk.restore();
    expect(names()).toEqual([expect.stringMatching(/^\.dropgate-.*\.part$/)]);
    writeFileSync(path.join(place.folder, 'other.csv.part'), 'of somebody else');
    expect(await sweepTempFiles(place.folder)).toBe(1);
    expect(names()).toEqual(['other.csv.part']);
  });
});
