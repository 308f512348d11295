import path from 'node:path';
import type { FolderPort } from './folder-port.js';
import { isIgnoredName, MARKER_SUFFIX } from './names.js';

/** The top level of a folder at one moment. */
export interface Listing {
  /** Accepted entries that are not folders. */
  names: Set<string>;
  /** Names beside which a marker lies. */
  marked: Set<string>;
  /** Accepted names that are not valid UTF-8, as bytes. */
  undecodable: Buffer[];
}

/** node puts this in place of bytes that are not valid UTF-8; a name may also hold it rightfully. */
export const REPLACEMENT_CHARACTER = '\ufffd';

/** True for the names the watcher deals with. */
export type NameFilter = (name: string) => boolean;

/**
 * Reads the top level of a folder. Nothing is opened, and no subfolder is entered.
 * @throws the errno error of opendir(3) or readdir(3)
 */
export async function listFolder(
  folder: string,
  { port, accepts }: { port: FolderPort; accepts: NameFilter },
): Promise<Listing> {
  const listing: Listing = { names: new Set(), marked: new Set(), undecodable: [] };
  const suspects = new Set<string>();
  for await (const entries of await port.readdir(folder)) {
    for (const entry of entries) {
      if (entry.isDirectory() || isIgnoredName(entry.name)) continue;
      if (entry.name.endsWith(MARKER_SUFFIX)) listing.marked.add(entry.name.slice(0, -MARKER_SUFFIX.length));
      if (!accepts(entry.name)) continue;
      if (entry.name.includes(REPLACEMENT_CHARACTER)) suspects.add(entry.name);
      else listing.names.add(entry.name);
    }
  }
  if (suspects.size > 0) await sortOut(suspects, { listing, rawNames: await port.readdirRaw(folder) });
  return listing;
}

async function sortOut(
  suspects: ReadonlySet<string>,
  { listing, rawNames }: { listing: Listing; rawNames: Buffer[] },
): Promise<void> {
  for (const raw of rawNames) {
    const name = raw.toString();
    if (!suspects.has(name)) continue;
    if (raw.equals(Buffer.from(name))) listing.names.add(name);
    else listing.undecodable.push(raw);
  }
}

/** The path of an entry whose name is not valid UTF-8. */
export function rawPathOf(folder: string, rawName: Buffer): Buffer {
  return Buffer.concat([Buffer.from(folder + path.sep), rawName]);
}
