/** The article's two lines, word for word: `hey -n 300 -c 1|100 -m POST -d 'John Doe' URL`. */
import { HELLO } from './hello.ts';
import type { Scenario } from './scenario.ts';

const base = {
  served: HELLO,
  traffic: { kind: 'fixed', body: 'John Doe', answer: '{"message":"🦀 Hello John Doe"}' },
  pace: { kind: 'closed' },
  seconds: 1,
  rounds: 1,
  contenders: [
    'go-shared-unlocked',
    'go-instance-per-request',
    'go-mutex',
    'promise-mutex',
    'plugind',
  ],
  quickContenders: [],
  tool: { name: 'hey', requests: 300 },
} as const;

export const ARTICLE_SCENARIOS: readonly Scenario[] = [
  { ...base, name: 'article-1', title: 'hey -n 300 -c 1', connections: 1 },
  { ...base, name: 'article-100', title: 'hey -n 300 -c 100', connections: 100 },
];
