/** The package has no types; tests use it to write files only. */
declare module 'parquetjs-lite';
