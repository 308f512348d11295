import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LoginLimit } from '../../../src/server/auth/login-limit.js';
import { Sessions } from '../../../src/server/auth/sessions.js';

const USER = { name: 'ada', role: 'viewer' } as const;

/** What a session sees of an answer. */
class Answer extends EventEmitter {
  isDestroyed = false;
  destroy(): void {
    this.isDestroyed = true;
  }
}

function setUp() {
  const clock = { now: 0 };
  const sessions = new Sessions({ sessionMs: 1000, sessionIdleMs: 300 }, () => clock.now);
  onTestFinished(() => sessions.close());
  return { clock, sessions };
}

describe('a session', () => {
  it('ends when it was not used for so long', () => {
    const { clock, sessions } = setUp();
    const id = sessions.start(USER);
    clock.now = 299;
    expect(sessions.use(id)).toEqual(USER);
    clock.now = 598;
    expect(sessions.use(id)).toEqual(USER);
    clock.now = 898;
    expect(sessions.use(id)).toBeUndefined();
  });

  it('ends some time after sign-in however much it is used, and takes its streams along', () => {
    const { clock, sessions } = setUp();
    const id = sessions.start(USER);
    const [stream, finished] = [new Answer(), new Answer()];
    for (const answer of [stream, finished]) sessions.bind(id, answer as unknown as ServerResponse);
    finished.emit('close');
    for (clock.now = 200; clock.now < 1000; clock.now += 200) expect(sessions.use(id)).toEqual(USER);
    expect(stream.isDestroyed).toBe(false);
    sessions.sweep();
    expect([stream.isDestroyed, finished.isDestroyed]).toEqual([true, false]);
    expect(sessions.use(id)).toBeUndefined();
  });

  it('is not known by what is kept of it, nor by another id', () => {
    const { sessions } = setUp();
    const [first, second] = [sessions.start(USER), sessions.start(USER)];
    expect(first).not.toBe(second);
    expect(JSON.stringify(sessions)).not.toContain(first);
    sessions.end(first);
    expect(sessions.use(second)).toEqual(USER);
    expect(sessions.use('x')).toBeUndefined();
  });
});

describe('wrong passwords', () => {
  const attempt = (name: string, address = '2001:db8:1:2::7') => ({ name, address });

  it('are counted for each name and network, for a quarter of an hour', () => {
    const clock = { now: 0 };
    const limit = new LoginLimit(() => clock.now);
    for (let i = 0; i < 5; i++) expect(limit.begin(attempt('ada'))).toBe(0);
    clock.now = 60_000;
    expect(limit.begin(attempt('ada'))).toBe(840_000);
    expect(limit.begin(attempt('ada', '2001:db8:1:2:ffff::9'))).toBe(840_000);
    expect(limit.begin(attempt('ada', '2001:db8:1:3::7'))).toBe(0);
    expect(limit.begin(attempt('bob'))).toBe(0);
    clock.now = 900_000;
    expect(limit.begin(attempt('ada'))).toBe(0);
  });

  it('for many names count as well, and a right one is forgiven', () => {
    const limit = new LoginLimit(() => 0);
    for (let i = 0; i < 50; i++) {
      expect(limit.begin(attempt('ada'))).toBe(0);
      limit.succeed(attempt('ada'));
    }
    for (let i = 0; i < 20; i++) expect(limit.begin(attempt(`user${i}`))).toBe(0);
    expect(limit.begin(attempt('another'))).toBeGreaterThan(0);
  });
});
