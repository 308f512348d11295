/** Numbers of the enums of parquet.thrift that this program writes. Spec: parquet-format/src/main/thrift/parquet.thrift */

export const PHYSICAL_TYPE = {
  boolean: 0,
  int32: 1,
  int64: 2,
  float: 4,
  double: 5,
  bytes: 6,
  fixed: 7,
} as const;

export const REPETITION = { required: 0, optional: 1 } as const;

export const CONVERTED_TYPE = {
  utf8: 0,
  decimal: 5,
  date: 6,
  timeMicros: 8,
  timestampMicros: 10,
  int16: 16,
  json: 19,
} as const;

/** Members of the union LogicalType. */
export const LOGICAL_TYPE = {
  string: 1,
  decimal: 5,
  date: 6,
  time: 7,
  timestamp: 8,
  integer: 10,
  json: 12,
  uuid: 14,
} as const;

export const ENCODING = { plain: 0, rle: 3, deltaBinaryPacked: 5, rleDictionary: 8 } as const;
export type Encoding = (typeof ENCODING)[keyof typeof ENCODING];

export const PAGE_TYPE = { dictionary: 2, dataV2: 3 } as const;

/** `PAR1`, at both ends of a file. */
export const MAGIC = Uint8Array.of(0x50, 0x41, 0x52, 0x31);
