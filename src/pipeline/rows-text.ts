/** Room for the text of one task. */
const ROOM_BYTES = 2 << 20;
/** So many tasks may have text that the database has not taken yet; of files behind them there is none. */
const MAX_ROOMS = 16;

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
 * released, and is lent again: new ones would make V8 collect the whole heap again and again.
 */
export class TextRooms {
  readonly #spare: ArrayBuffer[] = [];
  #lent = 0;

  /** Room for a task, or undefined when too much text waits. */
  lend(): ArrayBuffer | undefined {
    if (this.#lent >= MAX_ROOMS) return undefined;
    this.#lent++;
    return this.#spare.pop() ?? new ArrayBuffer(ROOM_BYTES);
  }

  /** A room comes back from a thread: gives each file whose text is in it that text. */
  share(files: readonly { textRange?: TextRange; text?: RowsText }[], room: ArrayBuffer): void {
    let users = 0;
    const release = () => {
      if (--users === 0) this.#takeBack(room);
    };
    for (const file of files) {
      if (!file.textRange) continue;
      const { start, end } = file.textRange;
      file.text = new RowsText(new Uint8Array(room, start, end - start), release);
      users++;
    }
    if (users === 0) this.#takeBack(room);
  }

  /** A thread died with the room that it had. */
  lost(): void {
    this.#lent--;
  }

  #takeBack(room: ArrayBuffer): void {
    this.#lent--;
    if (this.#lent > 0) this.#spare.push(room);
    else this.#spare.length = 0;
  }
}
