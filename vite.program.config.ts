import { chmodSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';
import { compiledSchemas } from './vite.compiled-schemas.js';

const at = (place: string) => fileURLToPath(new URL(place, import.meta.url));

/** `npx dropgate` makes the program executable when it meets it for the first time, and not again after another build. */
const executable: Plugin = {
  name: 'executable',
  writeBundle: () => chmodSync(at('dist/main.js'), 0o755),
};

/**
 * Joins the modules of the program, and most of the libraries that it needs, into few files: to find and read 400 of them took
 * longer than everything else that a start does. Nothing is renamed or shortened, so that stack traces stay readable.
 */
export default defineConfig({
  plugins: [compiledSchemas(), executable],
  build: {
    ssr: true,
    target: 'node20.19',
    outDir: at('dist'),
    // The page lies there as well.
    emptyOutDir: false,
    copyPublicDir: false,
    minify: false,
    sourcemap: true,
    rolldownOptions: {
      // One for the command line, and one for each kind of thread.
      input: {
        main: at('src/main.ts'),
        'convert-worker': at('src/pipeline/convert-worker.ts'),
        'copy-worker': at('src/pipeline/copy-worker.ts'),
        'look-up-worker': at('src/pipeline/view/look-up-worker.ts'),
        'embedded-worker': at('src/load/engines/embedded-worker.ts'),
      },
      output: {
        // All in one folder, as deep as those of src/: what is found from the place of a module is found from there.
        entryFileNames: ({ name }) => (name === 'main' ? 'main.js' : 'program/[name].js'),
        chunkFileNames: 'program/[name].js',
      },
    },
  },
  ssr: {
    noExternal: true,
    // What has native parts or files beside its code, and what is read when it is needed, not at the start.
    external: [
      'libsql',
      'piscina',
      '@electric-sql/pglite',
      '@electric-sql/pglite-socket',
      '@hpcc-js/wasm-zstd',
      '@fastify/cookie',
      '@fastify/rate-limit',
      '@fastify/static',
      '@fastify/swagger',
      'fastify',
      'iconv-lite',
      'mysql2',
      'pg',
      'pg-copy-streams',
      'prom-client',
      'snappy',
    ],
  },
  logLevel: 'warn',
});
