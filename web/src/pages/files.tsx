import { useLive } from '../lib/live.js';
import { location } from '../lib/router.js';
import { Empty } from '../parts/notice.js';
import { AwayNotice } from './files/away-notice.js';
import { FileListPage } from './files/list-page.js';
import { StoryPage } from './files/story-page.js';
import '../style/files.css';

/** What became of every file: the list, or the story of one of them. */
export default function FilesPage() {
  useLive();
  const { path } = location.value;
  const id = /^\/files\/(\d+)$/.exec(path)?.[1];
  return (
    <>
      <AwayNotice />
      {id ? <StoryPage key={id} id={id} /> : path === '/' ? <FileListPage /> : <NoFile />}
    </>
  );
}

function NoFile() {
  return (
    <Empty title="There is no such file">
      <a href="/">Go to the list of files</a>
    </Empty>
  );
}
