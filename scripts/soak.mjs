// Kills the daemon with SIGKILL again and again and checks after each run that no row was lost and none loaded twice:
//
//   npm run soak                                    2,000 kills, 500 on each engine
//   npm run soak -- --kills 100 --engines postgres  100 kills on one
//   npm run soak -- --seed 42                       the load and the moments of a run that was seen before
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '500' },
    engines: { type: 'string', default: 'none,postgres,mysql,embedded' },
    seed: { type: 'string' },
  },
});

const env = {
  ...process.env,
  DROPGATE_FAULT_KILLS: values.kills,
  DROPGATE_FAULT_ENGINES: values.engines,
  ...(values.seed !== undefined && { DROPGATE_FAULT_SEED: values.seed }),
};
const { status } = spawnSync('npx', ['vitest', 'run', 'test/faults/kill.test.ts'], { env, stdio: 'inherit' });
process.exitCode = status ?? 1;
