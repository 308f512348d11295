import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { followLinks, location } from './lib/router.js';
import { loadSession, session } from './lib/session.js';
import { Empty } from './parts/notice.js';
import { ThemeButton } from './parts/theme-button.js';
import { UserMenu } from './parts/user-menu.js';

interface Section {
  path: string;
  title: string;
  /** Not shown to viewers, who may not use it. */
  isForAnalysts?: boolean;
  /** Pages are loaded when they are first shown. */
  load(): Promise<{ default: ComponentType }>;
}

const SECTIONS: Section[] = [
  { path: '/', title: 'Files', load: () => import('./pages/files.js') },
  { path: '/data', title: 'Data', load: () => import('./pages/data.js') },
  { path: '/dashboards', title: 'Dashboards', load: () => import('./pages/dashboards.js') },
  { path: '/quality', title: 'Quality', load: () => import('./pages/quality.js') },
  { path: '/sql', title: 'SQL', isForAnalysts: true, load: () => import('./pages/sql.js') },
];

const LOGIN = { title: 'Sign in', load: () => import('./pages/login.js') };

followLinks();
loadSession();

/** The form to sign in for strangers, the pages for everybody else. */
export function App() {
  if (session.value === undefined) return null;
  return session.value === null ? <Lazy section={LOGIN} /> : <Frame />;
}

/** The frame of all pages. */
function Frame() {
  const section = sectionAt(location.value.path);
  useEffect(() => {
    document.title = section ? `${section.title} · Dropgate` : 'Dropgate';
  }, [section]);
  return (
    <>
      <header class="topbar">
        <a class="brand" href="/">
          <img src="/favicon.svg" alt="" width="24" height="24" />
          Dropgate
        </a>
        <nav class="nav" aria-label="Pages">
          {SECTIONS.filter(isShown).map(({ path, title }) => (
            <a key={path} href={path} aria-current={section?.path === path ? 'page' : undefined}>
              {title}
            </a>
          ))}
        </nav>
        <div class="topbar-end">
          <UserMenu />
          <ThemeButton />
        </div>
      </header>
      <main class="page">{section ? <Lazy key={section.path} section={section} /> : <NotFound />}</main>
    </>
  );
}

function isShown({ isForAnalysts }: Section): boolean {
  return !isForAnalysts || session.value?.role !== 'viewer';
}

/** The section whose path leads the way; that of the files also has the stories of files. */
function sectionAt(path: string): Section | undefined {
  if (path === '/' || path.startsWith('/files/')) return SECTIONS[0];
  return SECTIONS.slice(1).find((section) => path === section.path || path.startsWith(`${section.path}/`));
}

function Lazy({ section }: { section: Pick<Section, 'load'> }) {
  const [Page, setPage] = useState<ComponentType | undefined>();
  useEffect(() => {
    section.load().then(
      ({ default: loaded }) => setPage(() => loaded),
      // The program was updated meanwhile, and its old parts are gone.
      () => window.location.reload(),
    );
  }, [section]);
  return Page ? <Page /> : null;
}

function NotFound() {
  return (
    <Empty title="There is no such page">
      <a href="/">Go to the files</a>
    </Empty>
  );
}
