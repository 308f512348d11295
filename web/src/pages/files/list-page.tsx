import type { LiveState, Overview } from '../../../../src/server/api/files.js';
import { today } from '../../lib/file-query.js';
import { useReloadOnChange } from '../../lib/live.js';
import { useApi } from '../../lib/load.js';
import { ProblemNotice } from '../../parts/notice.js';
import { UploadBox } from '../../parts/upload.js';
import { FileTable } from './file-table.js';
import { PendingFiles } from './pending-files.js';
import { ThroughputCard } from './throughput-card.js';
import { DatabaseNotice, Tiles } from './tiles.js';

const RELOAD_MS = 1000;

/** Changes with every file that arrives, moves on or is done. */
function movement(state: LiveState): string {
  const { revision, waiting, being_written, without_marker, postponed, waiting_to_load } = state;
  const inHand = state.converting.map(({ name }) => name);
  return [revision, waiting, being_written, without_marker, postponed, waiting_to_load, ...inHand].join();
}

/** The state of things on top, and the list of all files. */
export function FileListPage() {
  const { data, problem, reload } = useApi<Overview>(`/api/overview?day_start=${today()}`);
  useReloadOnChange(reload, { everyMs: RELOAD_MS, watch: movement });
  return (
    <>
      <h1>Files</h1>
      <UploadBox />
      {problem && problem.status !== 0 && <ProblemNotice problem={problem} />}
      <DatabaseNotice overview={data} />
      <Tiles overview={data} />
      <PendingFiles overview={data} />
      <ThroughputCard />
      <FileTable inputFolder={data?.input_folder ?? 'input_csv'} />
    </>
  );
}
