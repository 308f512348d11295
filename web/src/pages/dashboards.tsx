import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import type {
  ChartPanel,
  Dashboard,
  Dashboards,
  NumberPanel,
  Panel,
} from '../../../src/server/api/dashboards.js';
import type { ChartAnswer, QueryAnswer } from '../../../src/server/api/data.js';
import { chartPath, chartQuery, titleOf } from '../lib/chart-query.js';
import { limitTo } from '../lib/limit.js';
import { useApi } from '../lib/load.js';
import { location } from '../lib/router.js';
import { ChartOfTable, ResultOfQuery } from '../parts/chart-panel.js';
import { Empty, ProblemNotice } from '../parts/notice.js';
import '../style/data.css';

/** Panels are asked for a few at a time: the daemon has other work. */
const gate = limitTo(3);

/** `/dashboards`, `/dashboards/:name`. */
export default function DashboardsPage() {
  const [, , name] = location.value.path.split('/');
  return name ? <DashboardView key={name} name={name} /> : <DashboardList />;
}

function DashboardList() {
  const { data, problem } = useApi<Dashboards>('/api/dashboards');
  return (
    <>
      <h1>Dashboards</h1>
      {problem && <ProblemNotice problem={problem} />}
      {data?.dashboards.length === 0 && (
        <section class="card">
          <Empty title="No dashboards yet">
            <p>
              A YAML file in <code>{data.folder}/</code> is a dashboard; docs/dashboards.md shows how to write
              one.
            </p>
          </Empty>
        </section>
      )}
      <div class="data-tables">
        {data?.dashboards.map(({ name, title, text, is_broken }) => (
          <section class="card stack" key={name}>
            <h2>
              <a href={`/dashboards/${name}`}>{title}</a>{' '}
              {is_broken && <span class="badge bad">has a mistake</span>}
            </h2>
            {text && <p class="soft">{text}</p>}
          </section>
        ))}
      </div>
      {data && data.dashboards.length > 0 && (
        <p class="soft">
          Each is a YAML file in <code>{data.folder}/</code>; docs/dashboards.md shows how to write one.
        </p>
      )}
    </>
  );
}

function DashboardView({ name }: { name: string }) {
  const { data, problem } = useApi<Dashboard>(`/api/dashboards/${name}`);
  return (
    <>
      <p class="crumbs">
        <a href="/dashboards">Dashboards</a>
      </p>
      {problem && <ProblemNotice problem={problem} />}
      {data && (
        <>
          <h1>{data.title}</h1>
          {data.text && <p class="soft dashboard-text">{data.text}</p>}
          {data.problem && <BrokenFile text={data.problem} />}
          <div class="dashboard">
            {data.panels.map((panel, index) => (
              <PanelView key={index} panel={panel} />
            ))}
          </div>
        </>
      )}
    </>
  );
}

function BrokenFile({ text }: { text: string }) {
  return (
    <div class="notice" role="alert">
      <strong>The file of this dashboard has mistakes</strong>
      <pre class="broken-file">{text}</pre>
      <span class="soft">It is read again when it changes: correct it and reload the page.</span>
    </div>
  );
}

function PanelView({ panel }: { panel: Panel }) {
  if (panel.heading !== undefined) return <h2 class="dashboard-heading">{panel.heading}</h2>;
  if (panel.chart) return <ChartView panel={panel} chart={panel.chart} />;
  if (panel.number) return <NumberView panel={panel} number={panel.number} />;
  return <QueryView panel={panel} name={panel.query!} />;
}

interface CardProps {
  panel: Panel;
  title: string;
  /** Where the chart can be changed. */
  href?: string;
  text?: string;
  children: ComponentChildren;
}

function PanelCard({ panel, title, href, text = panel.text, children }: CardProps) {
  return (
    <section class={`card panel panel-${panel.width}`} aria-label={title}>
      <header>
        <h3>{href ? <a href={href}>{title}</a> : title}</h3>
        {text && <p class="soft">{text}</p>}
      </header>
      {children}
    </section>
  );
}

function ChartView({ panel, chart }: { panel: Panel; chart: ChartPanel }) {
  const { x_title, y_title, colour_title, stacked, ...spec } = chart;
  const { data, problem } = useApi<ChartAnswer>(chartPath(spec), { gate });
  const title = panel.title ?? titleOf(spec);
  const titles = useMemo(
    () => ({ title, x_title, y_title, colour_title, stacked }),
    [title, x_title, y_title, colour_title, stacked],
  );
  const query = chartQuery(spec);
  query.delete('table');
  return (
    <PanelCard panel={panel} title={title} href={`/data/${encodeURIComponent(spec.table)}/chart?${query}`}>
      {problem && <ProblemNotice problem={problem} />}
      {data ? <ChartOfTable answer={data} titles={titles} heightPx={PANEL_PX} /> : !problem && <Waiting />}
    </PanelCard>
  );
}

const PANEL_PX = 280;

function Waiting() {
  return <div class="panel-waiting" aria-hidden="true" />;
}

function NumberView({ panel, number }: { panel: Panel; number: NumberPanel }) {
  const { unit, decimals, ...rest } = number;
  const { data, problem } = useApi<ChartAnswer>(chartPath({ ...rest, kind: 'number' }), { gate });
  const title =
    panel.title ?? (rest.y ? titleOf({ ...rest, kind: 'box', y: rest.y }) : `Rows of ${rest.table}`);
  return (
    <PanelCard panel={panel} title={title}>
      {problem && <ProblemNotice problem={problem} />}
      <p class="big-number">
        <span class="big-number-value">{data ? numberText(data.rows[0]?.[0], decimals) : '…'}</span>
        {unit && <span class="soft"> {unit}</span>}
      </p>
    </PanelCard>
  );
}

function numberText(value: unknown, decimals: number | undefined): string {
  if (value === null || value === undefined) return '–';
  const digits = { minimumFractionDigits: decimals ?? 0, maximumFractionDigits: decimals ?? 2 };
  return new Intl.NumberFormat('en', digits).format(Number(value));
}

function QueryView({ panel, name }: { panel: Panel; name: string }) {
  const { data, problem } = useApi<QueryAnswer>(`/api/queries/${encodeURIComponent(name)}/result`, { gate });
  return (
    <PanelCard
      panel={panel}
      title={panel.title ?? data?.query.title ?? name}
      text={panel.text ?? data?.query.question}
    >
      {problem && <ProblemNotice problem={problem} />}
      {data ? <ResultOfQuery answer={data} heightPx={PANEL_PX} /> : !problem && <Waiting />}
    </PanelCard>
  );
}
