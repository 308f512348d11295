import {
  closeSync,
  existsSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../helpers/wait-for.js';
import { DeliveryMaker } from './support/deliveries.js';
import { parquetIds } from './support/invariants.js';
import { chosenSeed, randomFrom } from './support/random.js';
import { FaultSite, type Running } from './support/site.js';

const PAUSE_MS = 3000;

/** A file of the dataset `strict`. */
function text(from: number, to: number): string {
  const ids = range(from, to);
  return `id;name\n${ids.map((id) => `${id};name ${id}\n`).join('')}`;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

/** Every test here has a daemon of its own, since most of them wait: they wait at the same time. */
async function withDaemon(
  work: (site: FaultSite, daemon: Running) => Promise<void>,
  settings = '',
): Promise<void> {
  const site = new FaultSite({ settings, settleMs: 100 });
  try {
    await work(site, await site.start());
  } finally {
    await site.close();
  }
}

function input(site: FaultSite, name: string): string {
  return site.path('input_csv', name);
}

describe.concurrent('a writer who takes time', () => {
  it.each([
    ['in the middle of a line', 'id;name\n1;one\n2;tw', 'o\n3;three\n'],
    ['in the middle of a number', 'id;name\n1;one\n2', '2;two\n3;three\n'],
    ['between two lines', 'id;name\n1;one\n', '2;two\n3;three\n'],
    ['behind the header', 'id;name\n', '1;one\n2;two\n3;three\n'],
  ])('and pauses for three seconds %s, holding the file open', async (_, first, second) => {
    await withDaemon(async (site) => {
      const fd = openSync(input(site, 'strict.csv'), 'w');
      writeSync(fd, first);
      await sleep(PAUSE_MS);
      expect(site.log()).not.toContain('Converted');
      writeSync(fd, second);
      closeSync(fd);
      await site.logged('Converted input_csv/strict.csv to output_parquet/strict.parquet: 3 rows');
    });
  });

  it('and pauses in the middle of a line with the file closed', async () => {
    await withDaemon(async (site) => {
      writeFileSync(input(site, 'strict.csv'), 'id;name\n1;one\n2;tw');
      await sleep(PAUSE_MS);
      expect(site.log()).not.toContain('Converted');
      writeFileSync(input(site, 'strict.csv'), 'o\n3;three\n', { flag: 'a' });
      await site.logged('Converted input_csv/strict.csv to output_parquet/strict.parquet: 3 rows');
    });
  });

  it('and pauses between two lines with the file closed: the rest is taken as a file of its own', async () => {
    await withDaemon(async (site) => {
      writeFileSync(input(site, 'strict.csv'), text(1, 10));
      await site.logged('Converted input_csv/strict.csv');
      writeFileSync(input(site, 'strict.csv'), '11;name 11\n12;name 12\n', { flag: 'a' });
      await site.logged('Converted input_csv/strict.csv to output_parquet/strict-2.parquet');
      expect((await parquetIds(site)).sort((a, b) => a - b)).toEqual(range(1, 12));
    });
  });

  it('and goes on with a file that was put away: it is given back whole, with a warning', async () => {
    await withDaemon(async (site) => {
      // The name that the writer knows is another one, so that nobody sees the file in its hands.
      const own = site.path('upload');
      writeFileSync(own, text(1, 10));
      linkSync(own, input(site, 'strict.csv'));
      await site.logged('Converted input_csv/strict.csv');
      writeFileSync(own, '11;name 11\n12;name 12\n', { flag: 'a' });
      const log = await site.logged(
        'Converted input_csv/strict.csv to output_parquet/strict-2.parquet: 12 rows',
      );
      expect(log).toMatch(/WARNING - input_csv\/archived\/\S+\/strict\.csv grew by 22 B after it was read/);
      expect(new Set(await parquetIds(site))).toEqual(new Set(range(1, 12)));
      expect(archived(site)).toEqual(['strict.csv']);
    });
  });

  it('and goes on with a file that failed: it is judged again', async () => {
    await withDaemon(async (site) => {
      const own = site.path('upload');
      writeFileSync(own, 'id;name\n1;one\n2');
      utimesSync(own, new Date(), new Date(Date.now() - 60_000));
      linkSync(own, input(site, 'strict.csv'));
      await site.logged('Failed input_csv/strict.csv');
      writeFileSync(own, ';two\n', { flag: 'a' });
      await site.logged('Converted input_csv/strict.csv to output_parquet/strict.parquet: 2 rows');
      expect(site.files('input_csv/output_failed')).toEqual([]);
    });
  });

  it('is not the person who mends a failed file where it lies', async () => {
    await withDaemon(async (site) => {
      site.drop('strict.csv', 'id;name\n1;one\nx;two\n');
      await site.logged('Failed input_csv/strict.csv');
      writeFileSync(site.path('input_csv/output_failed/strict.csv'), 'id;name\n1;one\n2;two and more\n');
      // Two looks.
      await sleep(6500);
      expect(site.waiting()).toEqual([]);
      expect(site.log()).not.toContain('grew');
    });
  });

  it('and goes on while the program is down: the next start notices', async () => {
    await withDaemon(async (site, daemon) => {
      const own = site.path('upload');
      writeFileSync(own, text(1, 3));
      linkSync(own, input(site, 'strict.csv'));
      await site.logged('Converted input_csv/strict.csv');
      await daemon.end('SIGKILL');
      writeFileSync(own, '4;name 4\n', { flag: 'a' });
      await site.run(['once']);
      expect(site.log()).toContain(
        'Converted input_csv/strict.csv to output_parquet/strict-2.parquet: 4 rows',
      );
    });
  });
});

function archived(site: FaultSite): string[] {
  return readdirSync(site.path('input_csv/archived')).flatMap((day) =>
    readdirSync(site.path('input_csv/archived', day)),
  );
}

describe('files that change hands', () => {
  let site: FaultSite;

  beforeAll(async () => {
    site = new FaultSite();
    await site.start();
  });
  afterAll(() => site.close());

  it('replaced at any moment: the last version is there, and none is there twice', async () => {
    const random = randomFrom(chosenSeed());
    const maker = new DeliveryMaker(random);
    const pairs = await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        const name = `strict-quick-${i}.csv`;
        const [old, young] = [maker.strict(name, random.pick([5, 20_000])), maker.strict(name, 5)];
        site.drop(name, old.content);
        await sleep(random.next() * 250);
        const unfinished = input(site, `.${name}.part`);
        writeFileSync(unfinished, young.content);
        renameSync(unfinished, input(site, name));
        return { old, young };
      }),
    );
    await waitFor('the input to be used up', () => site.waiting().length === 0, { timeoutMs: 30_000 });
    const found = new Map<number, number>();
    for (const id of await parquetIds(site)) found.set(id, (found.get(id) ?? 0) + 1);
    for (const { old, young } of pairs) {
      expect(
        young.good.map((id) => found.get(id)),
        young.name,
      ).toEqual(young.good.map(() => 1));
      // Its sender took it away before it was read, or it is there as a whole.
      expect([0, 1], old.name).toContain(found.get(old.good[0]) ?? 0);
      expect(new Set(old.good.map((id) => found.get(id))).size, old.name).toBe(1);
    }
    expect(site.files('output_parquet').filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('deleted at any moment', async () => {
    const random = randomFrom(chosenSeed());
    const maker = new DeliveryMaker(random);
    for (let i = 0; i < 20; i++) {
      const name = `strict-gone-${i}.csv`;
      site.drop(name, maker.strict(name, 20_000).content);
      await sleep(random.next() * 120);
      rmSync(input(site, name), { force: true });
    }
    site.drop('strict-after.csv', maker.strict('strict-after.csv').content);
    await site.logged('Converted input_csv/strict-after.csv');
    expect(site.log()).not.toContain('Cannot convert');
  });

  it('with a time of the future, and of 1970', async () => {
    for (const [name, time] of [
      ['strict-future.csv', new Date('2099-01-01')],
      ['strict-epoch.csv', new Date(0)],
    ] as const) {
      const unfinished = input(site, `.${name}.part`);
      writeFileSync(unfinished, text(900_000, 900_001));
      utimesSync(unfinished, time, time);
      renameSync(unfinished, input(site, name));
      await site.logged(`Converted input_csv/${name}`);
    }
  });

  it('the same content under two names is two deliveries', async () => {
    const content = text(910_000, 910_004);
    site.drop('strict-one.csv', content);
    site.drop('strict-two.csv', content);
    await site.logged('Converted input_csv/strict-one.csv');
    await site.logged('Converted input_csv/strict-two.csv');
  });

  it('a failed file that is dropped again is tried again and lies there once', async () => {
    const bad = 'id;name\nseven;bad\n';
    for (let times = 1; times <= 2; times++) {
      site.drop('strict-again.csv', bad);
      const isFailed = () => site.log().split('Failed input_csv/strict-again.csv').length > times;
      await waitFor('the verdict', isFailed);
    }
    const copies = () =>
      site.files('input_csv/output_failed').filter((name) => /^strict-again.*csv$/.test(name));
    await waitFor('the file to be put away', () => site.waiting().length === 0);
    expect(copies()).toEqual(['strict-again.csv']);
    // What a person is mending there is never replaced.
    writeFileSync(site.path('input_csv/output_failed/strict-again.csv'), 'id;name\n7;mended\n');
    site.drop('strict-again.csv', bad);
    await waitFor('the second copy', () => copies().length === 2);
    expect(readFileSync(site.path('input_csv/output_failed/strict-again.csv'), 'utf8')).toContain('mended');
  });
});

describe('identity: content', () => {
  it('takes the same content under two names as one delivery', async () => {
    await withDaemon(async (site) => {
      site.drop('strict-one.csv', text(1, 5));
      await site.logged('Converted input_csv/strict-one.csv');
      site.drop('strict-two.csv', text(1, 5));
      await site.logged('Skipped input_csv/strict-two.csv: the same content was delivered as strict-one.csv');
      expect(await parquetIds(site)).toEqual(range(1, 5));
      await waitFor('both in the archive', () => archived(site).length === 2);
    }, 'identity: content\n');
  });
});

describe('a folder that is taken away', () => {
  it.each(['output_parquet', 'input_csv/archived', 'input_csv/output_failed', 'input_csv'])(
    '%s comes back by itself',
    async (folder) => {
      await withDaemon(async (site) => {
        rmSync(site.path(folder), { recursive: true });
        await waitFor('the input folder', () => {
          site.drop('strict.csv', 'id;name\n1;one\n');
          return existsSync(input(site, 'strict.csv'));
        });
        await site.logged('Converted input_csv/strict.csv');
        expect(await parquetIds(site)).toEqual([1]);
        site.drop('strict-bad.csv', 'id;name\nx;one\n');
        await site.logged('Failed input_csv/strict-bad.csv');
        unlinkSync(site.path('input_csv/output_failed/strict-bad.csv'));
      });
    },
  );
});
