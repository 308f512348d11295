import { location } from '../lib/router.js';
import { ChartBuilder } from './data/chart-builder.js';
import { TableList } from './data/table-list.js';
import { TablePage } from './data/table-page.js';
import '../style/data.css';

/** The loaded tables: `/data`, `/data/:table`, `/data/:table/chart`. */
export default function DataPage() {
  const [, , table, view] = location.value.path.split('/');
  if (!table) return <TableList />;
  const name = decoded(table);
  return view === 'chart' ? <ChartBuilder key={name} name={name} /> : <TablePage key={name} name={name} />;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
