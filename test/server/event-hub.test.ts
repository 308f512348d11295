import type { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { EventHub } from '../../src/server/event-hub.js';
import { waitFor } from '../helpers/wait-for.js';

let looks = 0;
let state = 0;
const open: EventHub[] = [];
afterEach(() => {
  for (const hub of open.splice(0)) hub.close();
});

function openHub(options: { heartbeatMs?: number; maxListeners?: number; text?: string } = {}): EventHub {
  const { heartbeatMs = 60_000, maxListeners = 10, text = '' } = options;
  looks = 0;
  state = 0;
  const read = () => {
    looks++;
    return { state, text };
  };
  const hub = new EventHub({ read, everyMs: 5, heartbeatMs, maxListeners });
  open.push(hub);
  return hub;
}

/** What a listener has heard so far. */
function hearing(stream: Readable): string[] {
  const heard: string[] = [];
  stream.setEncoding('utf8').on('data', (text: string) => heard.push(text));
  return heard;
}

async function looksAgain(times: number): Promise<void> {
  const until = looks + times;
  await waitFor('the hub to look', () => looks >= until);
}

describe('listeners', () => {
  it('hear the present state, then every change, once', async () => {
    const hub = openHub();
    const [one, other] = [hearing(hub.listen()!), hearing(hub.listen()!)];
    await looksAgain(5);
    state = 7;
    await waitFor('the change', () => one.length > 1 && other.length > 1);
    await looksAgain(5);
    for (const heard of [one, other]) {
      expect(heard.join('')).toBe(
        'retry: 2000\n\ndata: {"state":0,"text":""}\n\ndata: {"state":7,"text":""}\n\n',
      );
    }
  });

  it('get a sign of life when nothing changes', async () => {
    const heard = hearing(openHub({ heartbeatMs: 20 }).listen()!);
    await waitFor('a sign of life', () => heard.includes(': \n\n'));
  });

  it('cost nothing when they have gone', async () => {
    const hub = openHub();
    const streams = [hub.listen()!, hub.listen()!];
    await looksAgain(3);
    for (const stream of streams) stream.destroy();
    await waitFor('both to be gone', () => hub.listeners === 0);
    const after = looks;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(looks).toBe(after);
  });

  it('are cut off when they do not take what they are told', async () => {
    const hub = openHub({ text: 'x'.repeat(100_000) });
    const stream = hub.listen()!;
    await waitFor('the hub to give up', () => {
      state++;
      return stream.destroyed;
    });
    expect(hub.listeners).toBe(0);
  });

  it('are turned away when there are too many', () => {
    const hub = openHub({ maxListeners: 1 });
    expect(hub.listen()).toBeDefined();
    expect(hub.listen()).toBeUndefined();
  });

  it('hear the end', async () => {
    const hub = openHub();
    const stream = hub.listen()!;
    hearing(stream);
    hub.close();
    await waitFor('the end', () => stream.readableEnded);
  });
});
