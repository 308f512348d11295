import { readFileSync } from 'node:fs';
import { workerUrl } from './worker-url.js';

const PAGE_BYTES = 1 << 16;

/** By name: compiled once for this thread. V8 shares the machine code with the other threads. */
const compiled = new Map<string, WebAssembly.Module>();

/**
 * The exports of a new instance of a kernel, which has a memory of its own: `name` is that of its file in `kernel/`.
 * Errors: those for which {@link isKernelRefusal} is true; system errors when it cannot be read.
 */
export function openKernel<Exports>(name: string, imports: Record<string, object> = {}): Exports {
  let module = compiled.get(name);
  if (!module) {
    module = new WebAssembly.Module(readFileSync(workerUrl(`./${name}-kernel.wasm`, import.meta.url)));
    compiled.set(name, module);
  }
  return new WebAssembly.Instance(module, imports as Record<string, Record<string, unknown>>)
    .exports as Exports;
}

/** Has the processor no SIMD, or the system no memory for an instance, or not as much as it asks for? */
export function isKernelRefusal(error: unknown): boolean {
  const { CompileError, RuntimeError } = WebAssembly;
  return error instanceof CompileError || error instanceof RangeError || error instanceof RuntimeError;
}

/** Makes a memory so large at least. @throws RangeError when the system has not as much */
export function reserveMemory(memory: WebAssembly.Memory, bytes: number): void {
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
}
