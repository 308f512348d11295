import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { messageOf } from './errors.js';

/** Tells systemd how the service is. Does nothing where systemd did not start the process with `Type=notify`. */
export interface SystemdNotifier {
  /** `READY=1`: the start is complete. From now on the watchdog hears from us at half the interval that it allows. */
  ready(): Promise<void>;
  /** `STOPPING=1`: an orderly end has begun. The watchdog still hears from us until {@link close}. */
  stopping(): Promise<void>;
  /** Ends the watchdog messages; the timer keeps no process alive, so forgetting this is harmless. */
  close(): void;
}

export interface SystemdOptions {
  /** Where NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID are looked up; default `process.env`. */
  env?: NodeJS.ProcessEnv;
  /** Told once when a message could not be sent; the service goes on. */
  onFault: (message: string) => void;
}

const SEND_TIMEOUT_MS = 10_000;
const MICROSECONDS_PER_MILLISECOND = 1000;

/**
 * Speaks systemd's notification protocol, see sd_notify(3) and sd_watchdog_enabled(3). The protocol needs a Unix
 * datagram socket, which Node.js does not have, so each message is sent by systemd's own `systemd-notify`; the unit
 * needs `NotifyAccess=all`, since the message then comes from a child of the main process. The watchdog message is
 * sent from a timer of the main thread: a main thread that hangs falls silent and is restarted.
 */
export function systemdNotifier({ env = process.env, onFault }: SystemdOptions): SystemdNotifier {
  if (!env.NOTIFY_SOCKET) return SILENT;
  const intervalMs = watchdogIntervalMs(env);
  let timer: NodeJS.Timeout | undefined;
  let hasFailed = false;

  async function send(message: string): Promise<void> {
    try {
      await promisify(execFile)('systemd-notify', [message], { env, timeout: SEND_TIMEOUT_MS });
    } catch (error) {
      if (!hasFailed) onFault(`systemd cannot be told ${message}: ${messageOf(error).trim()}`);
      hasFailed = true;
    }
  }

  return {
    ready: async () => {
      await send('READY=1');
      if (intervalMs && !timer) timer = setInterval(() => send('WATCHDOG=1'), intervalMs).unref();
    },
    stopping: () => send('STOPPING=1'),
    close: () => clearInterval(timer),
  };
}

const SILENT: SystemdNotifier = { ready: async () => {}, stopping: async () => {}, close: () => {} };

/** Half the time that the watchdog allows between two messages; undefined when it does not watch this process. */
function watchdogIntervalMs({ WATCHDOG_USEC, WATCHDOG_PID }: NodeJS.ProcessEnv): number | undefined {
  const limitMs = Number(WATCHDOG_USEC) / MICROSECONDS_PER_MILLISECOND;
  const isForUs = !WATCHDOG_PID || Number(WATCHDOG_PID) === process.pid;
  return limitMs > 0 && isForUs ? limitMs / 2 : undefined;
}
