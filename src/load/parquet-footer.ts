import { parquetMetadata, parquetSchema, type SchemaTree } from 'hyparquet';
import { CompressionCodecs } from 'hyparquet/src/constants.js';
import { ThriftReader } from './thrift-reader.js';

/** What the footer of a Parquet file says, as far as it is needed to load its rows. */
export interface Footer {
  schema: SchemaTree;
  rows: number;
  groups: RowGroupPlace[];
  /** A key without a value is an empty text. */
  keyValues: Record<string, string>;
  createdBy?: string;
}

export interface RowGroupPlace {
  rows: number;
  /** In the order of the schema's leaves; undefined for one that is encrypted or lies in another file. */
  chunks: (ChunkPlace | undefined)[];
}

/** Where a column chunk lies. */
export interface ChunkPlace {
  /** Name of the top-level column. */
  name: string;
  codec: (typeof CompressionCodecs)[number];
  values: number;
  /** Offset of its first page in the file, in bytes. */
  start: number;
  /** Bytes of all its pages. */
  length: number;
}

/** Length of the footer, and the magic. */
export const TAIL_BYTES = 8;

const UTF8 = new TextDecoder();

/** The schema that was read last. Files of one data set have the same, and building it takes longer than all the rest. */
let last: { bytes: Uint8Array; schema: SchemaTree } = {
  bytes: new Uint8Array(0),
  schema: undefined as never,
};

/**
 * Reads a footer. Statistics, which take most of its bytes, are passed over.
 * @param bytes the footer and the {@link TAIL_BYTES} behind it
 * @throws Error for damaged bytes
 */
export function readFooter(bytes: Uint8Array): Footer {
  const reader = new ThriftReader(bytes);
  const footer: Footer = { schema: undefined as never, rows: 0, groups: [], keyValues: {} };
  reader.message((id) => {
    if (id === 2) footer.schema = readSchema(reader, bytes);
    else if (id === 3) footer.rows = reader.int();
    else if (id === 4) reader.list(() => footer.groups.push(readGroup(reader)));
    else if (id === 5) reader.list(() => readKeyValue(reader, footer.keyValues));
    else if (id === 6) footer.createdBy = UTF8.decode(reader.binary());
    else reader.skip();
  });
  if (!footer.schema) throw new Error('no schema');
  return footer;
}

function readSchema(reader: ThriftReader, footer: Uint8Array): SchemaTree {
  const start = reader.at;
  reader.skip();
  const bytes = footer.subarray(start, reader.at);
  if (Buffer.compare(bytes, last.bytes) !== 0) {
    const schema = parquetSchema(parquetMetadata(footer, { geoparquet: false }));
    last = { bytes: bytes.slice(), schema };
  }
  return last.schema;
}

function readGroup(reader: ThriftReader): RowGroupPlace {
  const group: RowGroupPlace = { rows: 0, chunks: [] };
  reader.struct((id) => {
    if (id === 1) reader.list(() => group.chunks.push(readChunk(reader)));
    else if (id === 3) group.rows = reader.int();
    else reader.skip();
  });
  return group;
}

function readChunk(reader: ThriftReader): ChunkPlace | undefined {
  let place: ChunkPlace | undefined;
  let isElsewhere = false;
  reader.struct((id) => {
    if (id === 3) place = readPlace(reader);
    else if (id === 1) isElsewhere = reader.binary().length > 0;
    else reader.skip();
  });
  return isElsewhere ? undefined : place;
}

function readPlace(reader: ThriftReader): ChunkPlace {
  const place: ChunkPlace = { name: '', codec: 'UNCOMPRESSED', values: 0, start: 0, length: 0 };
  const path: Uint8Array[] = [];
  let dictionary = 0;
  reader.struct((id) => {
    if (id === 3) reader.list(() => path.push(reader.binary()));
    else if (id === 4) place.codec = CompressionCodecs[reader.int()];
    else if (id === 5) place.values = reader.int();
    else if (id === 7) place.length = reader.int();
    else if (id === 9) place.start = reader.int();
    else if (id === 11) dictionary = reader.int();
    else reader.skip();
  });
  place.name = UTF8.decode(path[0]);
  // Some writers say 0 where there is no dictionary.
  if (dictionary !== 0) place.start = dictionary;
  return place;
}

function readKeyValue(reader: ThriftReader, keyValues: Record<string, string>): void {
  let key = '';
  let value = '';
  reader.struct((id) => {
    if (id === 1) key = UTF8.decode(reader.binary());
    else if (id === 2) value = UTF8.decode(reader.binary());
    else reader.skip();
  });
  keyValues[key] = value;
}
