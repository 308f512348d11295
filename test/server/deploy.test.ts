import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { repositoryRoot } from '../helpers/real-data.js';
import { type LocalServer, openLocalServer } from './auth/local-server.js';

const deployed = (name: string) => readFileSync(path.join(repositoryRoot, 'deploy', name), 'utf8');

let server: LocalServer;
/** Names of all samples that /metrics can have. */
let samples: Set<string>;

beforeAll(async () => {
  server = await openLocalServer();
  const { body } = await server.app.inject('/metrics');
  samples = new Set(
    [...body.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name, type]) => samplesOf(name, type)),
  );
});
afterAll(() => server.close());

function samplesOf(name: string, type: string): string[] {
  return type === 'histogram' ? ['bucket', 'sum', 'count'].map((suffix) => `${name}_${suffix}`) : [name];
}

/** Metrics that a query names; `up` is Prometheus's own. */
function metricsIn(query: string): string[] {
  const bare = query.replace(/"[^"]*"/g, '""');
  return [...bare.matchAll(/\b(?:dropgate|process|nodejs)_[a-z0-9_]+/g)].map(([name]) => name);
}

describe('deploy/grafana-dashboard.json', () => {
  const dashboard = JSON.parse(deployed('grafana-dashboard.json'));
  const queries: string[] = [
    ...dashboard.panels.flatMap((panel: { targets: { expr: string }[] }) =>
      panel.targets.map(({ expr }) => expr),
    ),
    ...dashboard.templating.list.map(({ query }: { query: string | { query: string } }) =>
      typeof query === 'string' ? query : query.query,
    ),
  ];

  it('asks for metrics that exist, and for all of ours', () => {
    const asked = new Set(queries.flatMap(metricsIn));
    expect([...asked].filter((name) => !samples.has(name))).toEqual([]);
    const ours = [...samples].filter((name) => /^dropgate_/.test(name) && !/_(?:sum|count)$/.test(name));
    expect(ours.filter((name) => !asked.has(name))).toEqual([]);
  });

  it('has panels that do not overlap', () => {
    const cells = new Set<string>();
    for (const { title, gridPos } of dashboard.panels) {
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(cells.has(`${x},${y}`), title).toBe(false);
          cells.add(`${x},${y}`);
        }
      }
    }
  });
});

describe('the examples for Prometheus', () => {
  it('alert on metrics that exist', () => {
    const { groups } = parse(deployed('prometheus-alerts.yml'));
    const rules: { alert: string; expr: string; annotations: object }[] = groups[0].rules;
    expect(rules.length).toBeGreaterThan(4);
    for (const { alert, expr, annotations } of rules) {
      expect(
        metricsIn(expr).filter((name) => !samples.has(name)),
        alert,
      ).toEqual([]);
      expect(annotations, alert).toMatchObject({
        summary: expect.any(String),
        description: expect.any(String),
      });
    }
  });

  it('scrape the address that Dropgate listens on', () => {
    const { scrape_configs: jobs } = parse(deployed('prometheus.yml'));
    expect(jobs[0].static_configs[0].targets).toEqual(['127.0.0.1:8420']);
  });
});
