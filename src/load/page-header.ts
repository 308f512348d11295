import { ThriftReader } from './thrift-reader.js';

/** What stands before a page. Spec: parquet.thrift, PageHeader. */
export interface PageHeader {
  kind: 'data' | 'data_v2' | 'dictionary' | 'other';
  /** Bytes of the header. */
  headerBytes: number;
  /** Bytes of the page as it lies there, and unpacked. */
  bytes: number;
  unpackedBytes: number;
  /** Values, NULLs included. */
  count: number;
  /** The values are ids of a dictionary. */
  hasIds: boolean;
  /** Of a version-2 page: bytes of the definition and of the repetition levels before the values. */
  definitionBytes: number;
  repetitionBytes: number;
  isCompressed: boolean;
}

const KINDS = ['data', 'other', 'dictionary', 'data_v2'] as const;
/** PLAIN_DICTIONARY and RLE_DICTIONARY. */
const ID_ENCODINGS = new Set([2, 8]);

/** Reads the header at offset `at`. @throws Error for damaged bytes */
export function readPageHeader(bytes: Uint8Array, at: number): PageHeader {
  const header: PageHeader = {
    kind: 'other',
    headerBytes: 0,
    bytes: -1,
    unpackedBytes: -1,
    count: 0,
    hasIds: false,
    definitionBytes: 0,
    repetitionBytes: 0,
    isCompressed: true,
  };
  const reader = new ThriftReader(bytes, at);
  reader.message((id) => {
    if (id === 1) header.kind = KINDS[reader.int()] ?? 'other';
    else if (id === 2) header.unpackedBytes = reader.int();
    else if (id === 3) header.bytes = reader.int();
    else if (id === 5 || id === 7) reader.struct((field) => readDetail(reader, { header, field }));
    else if (id === 8) reader.struct((field) => readDetailV2(reader, { header, field }));
    else reader.skip();
  });
  header.headerBytes = reader.at - at;
  return header;
}

interface Detail {
  header: PageHeader;
  field: number;
}

/** Of a version-1 page or a dictionary. */
function readDetail(reader: ThriftReader, { header, field }: Detail): void {
  if (field === 1) header.count = reader.int();
  else if (field === 2) header.hasIds = ID_ENCODINGS.has(reader.int());
  else reader.skip();
}

function readDetailV2(reader: ThriftReader, { header, field }: Detail): void {
  if (field === 1) header.count = reader.int();
  else if (field === 4) header.hasIds = ID_ENCODINGS.has(reader.int());
  else if (field === 5) header.definitionBytes = reader.int();
  else if (field === 6) header.repetitionBytes = reader.int();
  else if (field === 7) header.isCompressed = reader.bool();
  else reader.skip();
}
