/**
 * Dropgate under pm2: `pm2 start ecosystem.config.cjs`. The data folders are those of this folder; for others, add
 * `--root DIR` to `args`. docs/operations.md tells more.
 */
module.exports = {
  apps: [
    {
      name: 'dropgate',
      cwd: __dirname,
      script: 'dist/main.js',
      args: 'run',
      env: {
        NODE_ENV: 'production',
        // After a lot of work the C library gives back to the system what is free, where it would keep about 20 MB by itself.
        MALLOC_ARENA_MAX: '2',
        MALLOC_TRIM_THRESHOLD_: '131072',
        MALLOC_MMAP_THRESHOLD_: '131072',
      },
      // One process: a second one on the same folders refuses to start.
      exec_mode: 'fork',
      instances: 1,
      watch: false,
      // pm2 sends SIGINT, which finishes the files in hand. Longer than twice shutdown_ms of dropgate.yaml (10 s).
      kill_timeout: 30_000,
      // What no restart mends: a wrong configuration, a second daemon on the same folders. Not 0: that is also what pm2
      // sees when the kernel kills the process for want of memory.
      stop_exit_codes: [2, 5],
      restart_delay: 5_000,
      // Ten ends, each within 30 s of its start, and pm2 gives up.
      min_uptime: 30_000,
      max_restarts: 10,
    },
  ],
};
