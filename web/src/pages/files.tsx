import { Empty } from '../parts/notice.js';
import { UploadBox } from '../parts/upload.js';

/** What became of every file. */
export default function FilesPage() {
  return (
    <>
      <h1>Files</h1>
      <UploadBox />
      <section class="card">
        <Empty title="No files yet">
          <p>
            Copy a CSV file into <code>input_csv/</code>.
          </p>
        </Empty>
      </section>
    </>
  );
}
