import { workerData } from 'piscina';
import type { Dataset, Folders, Limits } from '../../config/settings.js';
import {
  type Buckets,
  type FileQuery,
  FileSearch,
  type FoundFiles,
  type Throughput,
} from '../../ledger/file-search.js';
import type { FileRecord } from '../../ledger/ledger.js';
import { FailedCounter, type FailedNow } from './failed-now.js';
import { type FilePlaces, findPlaces } from './file-places.js';
import { type Story, tellStory } from './story.js';

/** What the thread is told once. */
export interface LookUpData {
  ledgerFile: string;
  folders: Folders;
  datasets: readonly Dataset[];
  limits: Limits;
}

/** What the ledger and the folders say of the state of things. */
export interface Totals {
  /** Files and rows that went into tables since a time. */
  loaded: { files: number; rows: number };
  failed: FailedNow;
}

/** The questions that it answers, each with what is asked for and what is answered. */
export interface LookUps {
  search: { ask: FileQuery; answer: FoundFiles };
  codes: { ask: undefined; answer: string[] };
  /** Asked with the time since when loads count, ISO 8601 in UTC. */
  totals: { ask: string; answer: Totals };
  throughput: { ask: Buckets; answer: Throughput };
  story: { ask: number; answer: Story | undefined };
  places: { ask: number; answer: { record: FileRecord; places: FilePlaces } | undefined };
}

type Answers = {
  [Q in keyof LookUps]: (ask: LookUps[Q]['ask']) => LookUps[Q]['answer'] | Promise<LookUps[Q]['answer']>;
};

const { ledgerFile, folders, datasets, limits } = workerData as LookUpData;
const search = new FileSearch(ledgerFile);
const failed = new FailedCounter(folders);

const answers: Answers = {
  search: (query) => search.search(query),
  codes: () => search.codes(),
  totals: async (since) => ({ loaded: search.loadedSince(since), failed: await failed.count() }),
  throughput: (buckets) => search.throughput(buckets),
  story: (id) => tellStory(id, { search, folders, datasets, limits }),
  places: (id) => {
    const record = search.file(id);
    return record && { record, places: findPlaces(record, search.details(id), folders) };
  },
};

/** Looks up in the ledger and in the folders what takes some milliseconds, while the main thread goes on with its work. */
export default function lookUp({ question, ask }: { question: keyof LookUps; ask: never }): unknown {
  return answers[question](ask);
}
