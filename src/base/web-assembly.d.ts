/** What the program uses of WebAssembly. TypeScript has it in the library of browsers only. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
  }

  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, unknown>>);
    readonly exports: Record<string, unknown>;
  }

  class CompileError extends Error {}

  class RuntimeError extends Error {}

  interface Memory {
    /** Another one after the memory has grown; the old one is then empty. */
    readonly buffer: ArrayBuffer;
    /** By pages of 64 KB. @throws RangeError when the system has not as much */
    grow(pages: number): number;
  }
}
