import type { Aggregate, ChartSpec } from './data.js';

/* What the routes of dashboards answer. */

export type PanelWidth = 'quarter' | 'third' | 'half' | 'full';

export interface ChartPanel extends ChartSpec {
  stacked?: boolean;
  x_title?: string;
  y_title?: string;
  colour_title?: string;
}

export interface NumberPanel extends Pick<ChartSpec, 'table' | 'y' | 'filters'> {
  aggregate?: Aggregate;
  unit?: string;
  decimals?: number;
}

/** Exactly one of `chart`, `query`, `number` and `heading` is there. */
export interface Panel {
  title?: string;
  text?: string;
  width: PanelWidth;
  chart?: ChartPanel;
  query?: string;
  number?: NumberPanel;
  heading?: string;
}

export interface DashboardSummary {
  name: string;
  title: string;
  text: string | null;
  /** Its file has mistakes. */
  is_broken: boolean;
}

export interface Dashboards {
  dashboards: DashboardSummary[];
  /** Where the files are. */
  folder: string;
}

export interface Dashboard extends DashboardSummary {
  panels: Panel[];
  /** What is wrong with the file: file, line and key. */
  problem: string | null;
}
