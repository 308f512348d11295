// A stale file in dist/ would be run as if it were still part of the program.
import { rmSync } from 'node:fs';

rmSync(new URL('../dist', import.meta.url), { recursive: true, force: true });
