import { type FoundTable, isDoubtful } from './find-table.js';
import type { SeparatorLine } from './separator-line.js';
import { type SniffedDialect, staysSettled } from './sniff.js';
import type { TextWindow } from './text-feed.js';

/** What the beginning of a file is made of. */
export interface FileHead {
  sniffed: SniffedDialect;
  found: FoundTable;
  separator?: SeparatorLine;
}

/**
 * The head of the last file that was opened with the same options. Files that come day after day begin with the same header,
 * which settles dialect and columns by the names of declared columns. What has to be looked at anew is whether the text behind it
 * speaks of something else. The answer is what it would be without this memory.
 */
export class KnownHead {
  #kept: Kept | undefined;

  /**
   * Keeps a head, if its first record alone told everything. Records that end where the window ends may go on, as may a line
   * that ends with a carriage return.
   */
  keep(window: TextWindow, { sniffed, found, separator }: FileHead): void {
    const { start, dataStart, line } = found;
    const isPlain = found.fault === undefined && !sniffed.dialect.loneCrEnds && !separator;
    const isTold = isPlain && found.isAtOnce && sniffed.score === undefined;
    if (!isTold || dataStart >= window.end) return;
    this.#kept = {
      line: Buffer.from(window.buffer.subarray(start, dataStart)),
      sniffed,
      found: moved(found, { offset: -start, lines: -line }),
    };
  }

  /** The head of a text, if it begins like the one that is kept and nothing speaks against it. */
  recall(window: TextWindow, { quote, line }: { quote: string; line: number }): FileHead | undefined {
    const kept = this.#kept;
    if (!kept || !beginsWith(window, kept.line)) return undefined;
    const { buffer, from, end } = window;
    const { sniffed } = kept;
    if (!staysSettled(buffer.subarray(from, end), sniffed, quote)) return undefined;
    const found = moved(kept.found, { offset: from, lines: line });
    if (isDoubtful(window, { names: found.names!, dataStart: found.dataStart })) return undefined;
    return { sniffed, found };
  }
}

interface Kept {
  /** The header as it stands in the file, decoded, with its line end. */
  line: Buffer;
  sniffed: SniffedDialect;
  /** As if the header stood on line 0, at offset 0. */
  found: FoundTable;
}

/** Does the unread text begin with a line, and go on behind it? */
function beginsWith({ buffer, from, end }: TextWindow, line: Buffer): boolean {
  const behind = from + line.length;
  return behind < end && line.compare(buffer, from, behind) === 0;
}

function moved(found: FoundTable, { offset, lines }: { offset: number; lines: number }): FoundTable {
  return {
    ...found,
    line: found.line + lines,
    start: found.start + offset,
    end: found.end + offset,
    dataLine: found.dataLine + lines,
    dataStart: found.dataStart + offset,
  };
}
