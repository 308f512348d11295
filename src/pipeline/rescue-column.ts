import { NULL_ID, type TypedColumn, Vector } from '../base/vector.js';

/** Distinct rescued texts, and bytes of them, that are kept; past it the dictionary is begun anew. */
const MAX_TEXTS = 65_536;
const MAX_TEXT_BYTES = 16 << 20;

/**
 * The column `_rescued`: for each row the cells that have no column of their own, as JSON text: an array of surplus
 * cells of a long record, an object of undeclared columns, or an object with both, the surplus under `""`.
 */
export class RescueColumn {
  #values = new Vector('bytes');
  readonly #idOfText = new Map<string, number>();
  #ids = new Uint32Array(0);

  /** Has it as many texts as it should? Then {@link clear} it when no row group needs them any more. */
  get isFull(): boolean {
    return this.#idOfText.size > MAX_TEXTS || this.#values.byteLength > MAX_TEXT_BYTES;
  }

  /** Forgets all texts. */
  clear(): void {
    this.#values = new Vector('bytes');
    this.#idOfText.clear();
  }

  /** Begins a batch in which no row rescues anything. */
  begin(rowCount: number): void {
    if (this.#ids.length < rowCount) this.#ids = new Uint32Array(rowCount);
    this.#ids.fill(NULL_ID, 0, rowCount);
  }

  /** Keeps what a row has too much. */
  put(row: number, named: Record<string, string>, surplus: string[] | undefined): void {
    const hasNamed = Object.keys(named).length > 0;
    if (!hasNamed && surplus === undefined) return;
    const rescued = hasNamed ? (surplus === undefined ? named : { ...named, '': surplus }) : surplus;
    this.#ids[row] = this.#idOf(JSON.stringify(rescued));
  }

  /** The column of the current batch. */
  get column(): TypedColumn {
    return { ids: this.#ids, values: this.#values };
  }

  #idOf(text: string): number {
    let id = this.#idOfText.get(text);
    if (id === undefined) {
      id = this.#values.length;
      this.#values.pushText(text);
      this.#idOfText.set(text, id);
    }
    return id;
  }
}
