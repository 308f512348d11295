import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ArchiveKeeper, removeOldArchives } from '../../src/pipeline/archive.js';
import { localDate } from '../../src/pipeline/publish.js';
import { tempDir } from '../helpers/temp-dir.js';

const HOUR_MS = 3_600_000;
const { TZ } = process.env;
afterEach(() => {
  if (TZ === undefined) delete process.env.TZ;
  else process.env.TZ = TZ;
});

/** An archive with a folder, and a file in it, for each name. */
function archiveWith(...names: string[]): string {
  const archive = tempDir();
  for (const name of names) {
    fs.mkdirSync(path.join(archive, name));
    fs.writeFileSync(path.join(archive, name, 'scores.csv'), 'x');
  }
  return archive;
}

function daysAgo(days: number): string {
  return localDate(new Date(Date.now() - days * 24 * HOUR_MS));
}

describe('old archive folders', () => {
  it('are removed, younger ones and whatever else is there is not', async () => {
    const others = ['2026-11', 'notes', '2026-11-22-copy', '9999-99-99'];
    const archive = archiveWith(daysAgo(0), daysAgo(29), daysAgo(32), daysAgo(400), ...others);
    expect(await removeOldArchives(archive, { archiveDays: 30, nowMs: Date.now() })).toBe(2);
    expect(fs.readdirSync(archive).sort()).toEqual([daysAgo(0), daysAgo(29), ...others].sort());
  });

  it('are kept for ever with 0, and need not be there', async () => {
    const archive = archiveWith(daysAgo(4000));
    expect(await removeOldArchives(archive, { archiveDays: 0, nowMs: Date.now() })).toBe(0);
    expect(fs.readdirSync(archive)).toHaveLength(1);
    expect(
      await removeOldArchives(path.join(archive, 'not there'), { archiveDays: 30, nowMs: Date.now() }),
    ).toBe(0);
  });

  it.each(['Pacific/Kiritimati', 'UTC', 'Pacific/Pago_Pago'])('are no day too young in %s', async (zone) => {
    process.env.TZ = zone;
    // A file that was archived in the last moment of a day must stay for a whole day more.
    const archive = archiveWith(daysAgo(1), daysAgo(2.1 + 1));
    await removeOldArchives(archive, { archiveDays: 1, nowMs: Date.now() });
    expect(fs.readdirSync(archive)).toEqual([daysAgo(1)]);
  });
});

const DAY_MS = 24 * HOUR_MS;

/** A machine with an archive of four days, whose program starts and stops as its clock is set. */
class Machine {
  readonly archive = archiveWith('2026-11-20', '2026-11-15', '2026-10-01', '2020-01-01');
  readonly stateFolder = tempDir();
  readonly warnings: string[] = [];
  /** Noon of 22 November 2026, here. */
  wallMs = new Date(2026, 10, 22, 12).getTime();
  steadyMs = 0;

  start(archiveDays = 30): ArchiveKeeper {
    const nothing = () => undefined;
    const log = {
      info: nothing,
      warning: (text: string) => this.warnings.push(text),
      error: nothing,
      together: (work: () => void) => work(),
      reopen: nothing,
      close: nothing,
    };
    const clocks = { wall: () => this.wallMs, steady: () => this.steadyMs };
    return new ArchiveKeeper({ ...this, archiveDays, log, clocks });
  }

  /** Time passes, the program looking after it every hour. */
  async run(keeper: ArchiveKeeper, ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= HOUR_MS) {
      this.wallMs += HOUR_MS;
      this.steadyMs += HOUR_MS;
      await keeper.sweep();
    }
  }

  get days(): string[] {
    return fs.readdirSync(this.archive).sort();
  }
}

const ALL = ['2020-01-01', '2026-10-01', '2026-11-15', '2026-11-20'];
const YOUNG = ['2026-11-15', '2026-11-20'];

describe('the clock by which originals are old', () => {
  /** A machine that has run for two days, and was switched off. */
  async function settled(archiveDays?: number): Promise<Machine> {
    const machine = new Machine();
    const keeper = machine.start(archiveDays);
    await keeper.sweep();
    await machine.run(keeper, 23 * HOUR_MS);
    expect(machine.days).toEqual(ALL);
    await machine.run(keeper, 25 * HOUR_MS);
    expect(machine.days).toEqual(YOUNG);
    expect(machine.warnings).toEqual([]);
    return machine;
  }

  it('is trusted after a day, and over a restart', async () => {
    const machine = await settled();
    machine.wallMs += 6 * DAY_MS;
    await machine.start().sweep();
    machine.wallMs += 6 * DAY_MS;
    await machine.start().sweep();
    machine.wallMs += 6.5 * DAY_MS;
    await machine.start().sweep();
    expect(machine.days).toEqual(YOUNG);
    machine.wallMs += 6.5 * DAY_MS;
    await machine.start().sweep();
    expect(machine.days).toEqual(['2026-11-20']);
    expect(machine.warnings).toEqual([]);
  });

  it.each([
    ['years ahead', 3652 * DAY_MS, /^The clock of this machine is .* ahead of the last time/],
    ['in 1970', -20_000 * DAY_MS, /^The clock of this machine is .* behind the last time/],
  ])(
    'that is %s at the start removes nothing for a day, however often it is started',
    async (_, ms, warning) => {
      const machine = await settled();
      const rightMs = machine.wallMs;
      machine.wallMs += ms;
      for (let restart = 0; restart < 3; restart++) {
        const keeper = machine.start();
        await keeper.sweep();
        await machine.run(keeper, 5 * HOUR_MS);
      }
      expect(machine.warnings).toEqual([expect.stringMatching(warning)]);
      // Somebody sets it right while the program is stopped.
      machine.wallMs = rightMs + 15 * HOUR_MS;
      const keeper = machine.start();
      await keeper.sweep();
      await machine.run(keeper, 2 * DAY_MS);
      expect(machine.days).toEqual(YOUNG);
    },
  );

  it('that was right after all is obeyed after a day', async () => {
    const machine = await settled();
    machine.wallMs += 60 * DAY_MS;
    const keeper = machine.start();
    await keeper.sweep();
    await machine.run(keeper, 23 * HOUR_MS);
    expect(machine.days).toEqual(YOUNG);
    await machine.run(keeper, 2 * HOUR_MS);
    expect(machine.days).toEqual([]);
  });

  it('that jumps while the program runs removes nothing for a day, also after a restart', async () => {
    const machine = await settled();
    const keeper = machine.start();
    await keeper.sweep();
    machine.wallMs += 5 * DAY_MS;
    await keeper.sweep();
    expect(machine.warnings).toEqual([expect.stringMatching(/has jumped forwards by/)]);
    machine.wallMs += 6 * HOUR_MS;
    await machine.start(3).sweep();
    expect(machine.days).toEqual(YOUNG);
  });

  it('is in doubt sooner where originals are kept for few days', async () => {
    const machine = await settled(20);
    machine.wallMs += 5 * DAY_MS;
    await machine.start(4).sweep();
    expect(machine.days).toEqual(YOUNG);
    expect(machine.warnings).toHaveLength(1);
  });

  it('costs nothing when it cannot be written down', async () => {
    const machine = new Machine();
    fs.rmdirSync(machine.stateFolder);
    const keeper = machine.start();
    await machine.run(keeper, 2 * DAY_MS);
    expect(machine.days).toEqual(ALL);
    expect(machine.warnings[0]).toMatch(/cannot be removed/);
  });
});
