import * as zlib from 'node:zlib';
import type { ByteBuffer } from './byte-buffer.js';
import { openSnappy } from './snappy.js';

export type CodecName = 'snappy' | 'gzip' | 'zstd' | 'none';

/** A way to compress pages. It belongs to the thread that opened it. */
export interface Codec {
  readonly name: CodecName;
  /** Its number in parquet.thrift's CompressionCodec. */
  readonly id: number;
  /** Appends the content of `source`, compressed, to `target`. */
  compress(source: ByteBuffer, target: ByteBuffer): void;
}

type Compress = (input: Uint8Array) => Uint8Array;

/** zstd's own default, which Node.js takes, too. */
const ZSTD_LEVEL = 3;

/** Makes a codec ready for use. Libraries are loaded only for the codec that needs them. */
export async function openCodec(name: CodecName): Promise<Codec> {
  switch (name) {
    case 'none':
      return { name, id: 0, compress: (source, target) => target.putBuffer(source) };
    case 'snappy':
      return { name, id: 1, compress: await openSnappy() };
    case 'gzip':
      return { name, id: 2, compress: appending((input) => zlib.gzipSync(input)) };
    case 'zstd':
      return { name, id: 6, compress: appending(nativeZstd() ?? (await wasmZstd())) };
  }
}

function appending(compress: Compress): Codec['compress'] {
  return (source, target) => target.putBytes(compress(source.content()));
}

/** Node.js has zstd since 22.15 and 23.8. */
function nativeZstd(): Compress | undefined {
  const { zstdCompressSync } = zlib as { zstdCompressSync?: Compress };
  return zstdCompressSync && ((input) => zstdCompressSync(input));
}

async function wasmZstd(): Promise<Compress> {
  const { Zstd } = await import('@hpcc-js/wasm-zstd');
  const zstd = await Zstd.load();
  return (input) => zstd.compress(input, ZSTD_LEVEL);
}
