import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../../helpers/wait-for.js';
import { type Delivery, DeliveryMaker } from './deliveries.js';
import { type Account, checkInvariants } from './invariants.js';
import { type Random, randomFrom } from './random.js';
import { FaultSite, type Running } from './site.js';
import { type EngineName, targetOf } from './targets.js';

export interface KillRun {
  engine: EngineName;
  kills: number;
  seed: number;
  /** Rows of the large files. */
  largeRows?: number;
}

export interface KillOutcome extends Account {
  kills: number;
  /** Kills that came before the daemon said that it watches. */
  killsAtStart: number;
}

/** Longest life of a daemon after it is up, in milliseconds. The embedded database takes a second to open. */
const MAX_LIFE_MS: Record<EngineName, number> = { none: 500, postgres: 600, mysql: 600, embedded: 3000 };
/** Long enough for small files to be converted before they are settled, so that kills meet what is held back, too. */
const SETTLE_MS = 120;
const DRAIN_MS = 120_000;

/**
 * Feeds a mixed load to the daemon, kills it with SIGKILL at random moments and starts it again, then lets it finish and
 * checks what must hold.
 */
export async function killAndCheck({ engine, kills, seed, largeRows }: KillRun): Promise<KillOutcome> {
  const target = await targetOf(engine);
  const site = new FaultSite({ database: target.config, settleMs: SETTLE_MS });
  const random = randomFrom(seed);
  const feeder = new Feeder(site, { random, maker: new DeliveryMaker(random, { largeRows }) });
  try {
    let killsAtStart = 0;
    for (let kill = 0; kill < kills; kill++) {
      feeder.feed(random.int(1, 8));
      if (await liveAndDie(site, { random, feeder, maxLifeMs: MAX_LIFE_MS[engine] })) killsAtStart++;
    }
    await drain(site);
    const account = await checkInvariants(site, { target, deliveries: feeder.deliveries });
    return { ...account, kills, killsAtStart };
  } finally {
    await site.close();
    await target.drop();
  }
}

/** One life of the daemon. Answers whether it ended before it was up. */
async function liveAndDie(
  site: FaultSite,
  { random, feeder, maxLifeMs }: { random: Random; feeder: Feeder; maxLifeMs: number },
): Promise<boolean> {
  const logStart = site.log().length;
  const daemon = site.spawn(['run']);
  const isUp = () => daemon.stderr().includes(' watches ');
  if (random.chance(0.15)) {
    await sleep(random.int(50, 1200));
  } else {
    await waitFor('the daemon to watch', () => isUp() || !daemon.isRunning(), {
      timeoutMs: 60_000,
      intervalMs: 5,
    });
    if (!daemon.isRunning()) throw new Error(`the daemon ended by itself: ${daemon.stderr()}`);
    await live(site, { random, feeder, daemon, logStart, maxLifeMs });
  }
  const wasUp = isUp();
  const { signal, stderr } = await daemon.end('SIGKILL');
  if (signal !== 'SIGKILL') throw new Error(`the daemon ended before it was killed: ${stderr}`);
  return !wasUp;
}

/** Lets the daemon work for a while: for a random time, or until shortly after a line of its log. */
async function live(
  site: FaultSite,
  life: { random: Random; feeder: Feeder; daemon: Running; logStart: number; maxLifeMs: number },
): Promise<void> {
  const { random, feeder, daemon, logStart, maxLifeMs } = life;
  if (random.chance(0.5)) {
    const endAt = performance.now() + random.int(0, maxLifeMs);
    while (performance.now() < endAt) {
      if (random.chance(0.2)) feeder.feed(1);
      await sleep(Math.min(random.int(5, 120), Math.max(0, endAt - performance.now())));
    }
    return;
  }
  // Kills that hit the steps around a verdict or a load, which are short beside the rest of a life.
  const lines = random.int(1, 6);
  const hasLines = () => site.log().slice(logStart).split('\n').length > lines || !daemon.isRunning();
  await waitFor('lines in the log', hasLines, { timeoutMs: maxLifeMs, intervalMs: 1 }).catch(() => undefined);
  await sleep(random.next() * 30);
}

/** Lets the daemon use up the input and end in order, then has `once` finish what waited for the database. */
async function drain(site: FaultSite): Promise<void> {
  const daemon = await site.start();
  await waitFor('the input to be used up', () => site.waiting().length === 0, { timeoutMs: DRAIN_MS });
  const { code, stderr } = await daemon.end('SIGTERM');
  if (code !== 0) throw new Error(`the daemon ended with ${code}: ${stderr}`);
  const last = await site.run(['once']);
  if (last.code !== 0 && last.code !== 3) throw new Error(`once ended with ${last.code}: ${last.stderr}`);
}

/** Drops files, new ones and some that were dropped before, and keeps the account of it. */
class Feeder {
  readonly deliveries: Delivery[] = [];
  readonly #site: FaultSite;
  readonly #random: Random;
  readonly #maker: DeliveryMaker;

  constructor(site: FaultSite, { random, maker }: { random: Random; maker: DeliveryMaker }) {
    this.#site = site;
    this.#random = random;
    this.#maker = maker;
  }

  feed(count: number): void {
    for (let i = 0; i < count; i++) this.#drop(this.#next());
  }

  #next(): Delivery {
    const random = this.#random;
    const waiting = new Set(this.#site.waiting());
    const earlier = this.deliveries.filter(({ name }) => !waiting.has(name));
    if (earlier.length > 0 && random.chance(0.1)) return random.pick(earlier);
    const passed = earlier.filter(({ dataset }) => dataset !== undefined);
    const made = this.#maker.make(
      passed.length > 0 && random.chance(0.1) ? random.pick(passed).name : undefined,
    );
    this.deliveries.push(made);
    return made;
  }

  #drop(delivery: Delivery): void {
    delivery.times++;
    this.#site.drop(delivery.name, delivery.content);
  }
}
