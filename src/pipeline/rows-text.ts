/** Texts are longer than their files where many cells are empty: that of a NULL has two characters. */
const BYTES_A_FILE_BYTE = 1.125;
/** Sizes of rooms are multiples of this, so that they fit other tasks as well. */
const ROOM_STEP_BYTES = 1 << 16;
/** A task of more bytes is one large file. */
const MAX_ROOM_BYTES = 4 << 20;
/** So much memory may be lent, or hold text that waits for the database; of files behind that there is no text. */
const MAX_BYTES = 48 << 20;
/** So much memory is kept to be lent again. */
const MAX_SPARE_BYTES = 16 << 20;

/** Where a text lies in its room. */
export interface TextRange {
  start: number;
  end: number;
}

/** The rows of a small file as COPY text, from the thread that converted it until they are in the database. */
export class RowsText {
  #bytes: Uint8Array | undefined;
  readonly #onRelease: () => void;

  constructor(bytes: Uint8Array, onRelease: () => void) {
    this.#bytes = bytes;
    this.#onRelease = onRelease;
  }

  /** Undefined once they are released. */
  get bytes(): Uint8Array | undefined {
    return this.#bytes;
  }

  /** Nobody needs them any more. */
  release(): void {
    if (!this.#bytes) return;
    this.#bytes = undefined;
    this.#onRelease();
  }
}

/**
 * Memory for the COPY text of small files, lent to the tasks that convert them. A room comes back when all texts in it have been
 * released, and is lent again. It is shared, since V8 collects a thread's whole heap again and again where other memory comes and goes
 * by the megabyte.
 */
export class TextRooms {
  #spare: SharedArrayBuffer[] = [];
  /** Of the rooms that are lent or have texts in them. */
  #bytes = 0;

  /** Room for the text of files of so many bytes; undefined when too much is in use. */
  lend(fileBytes: number): SharedArrayBuffer | undefined {
    const bytes = Math.ceil((fileBytes * BYTES_A_FILE_BYTE) / ROOM_STEP_BYTES) * ROOM_STEP_BYTES;
    if (bytes > MAX_ROOM_BYTES || this.#bytes + bytes > MAX_BYTES) return undefined;
    const room = this.#takeSpare(bytes) ?? new SharedArrayBuffer(bytes);
    this.#bytes += room.byteLength;
    return room;
  }

  /** A thread is done with a room: gives each file whose text is in it that text. */
  share(files: readonly { textRange?: TextRange; text?: RowsText }[], room: SharedArrayBuffer): void {
    let users = 0;
    for (const file of files) {
      if (!file.textRange) continue;
      const { start, end } = file.textRange;
      users++;
      file.text = new RowsText(new Uint8Array(room, start, end - start), () => {
        if (--users === 0) this.#takeBack(room);
      });
    }
    if (users === 0) this.#takeBack(room);
  }

  /** One that is not much larger. */
  #takeSpare(bytes: number): SharedArrayBuffer | undefined {
    const index = this.#spare.findIndex(({ byteLength }) => byteLength >= bytes && byteLength <= 2 * bytes);
    return index < 0 ? undefined : this.#spare.splice(index, 1)[0];
  }

  #takeBack(room: SharedArrayBuffer): void {
    this.#bytes -= room.byteLength;
    if (this.#bytes === 0) this.#spare = [];
    else if (sizeOf(this.#spare) + room.byteLength <= MAX_SPARE_BYTES) this.#spare.push(room);
  }
}

function sizeOf(rooms: readonly SharedArrayBuffer[]): number {
  return rooms.reduce((sum, { byteLength }) => sum + byteLength, 0);
}
