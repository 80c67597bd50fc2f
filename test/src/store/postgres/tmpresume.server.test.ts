import { expect, test } from 'vitest';
import { randomUUID } from 'node:crypto';
import { openOperatorStore } from '../../../../src/store/postgres/operator-store.ts';
import { prepareDatabase } from './prepared-database.ts';
import { releaseText, stopText } from '../samples.ts';
test('perf', async () => {
  const db = await prepareDatabase();
  const owner = await db.connect(db.ownerUrl);
  for (const staging of [{ kind: 'rate', tasksPerSecond: 1000 }, { kind: 'tenants', everyMs: 1000 }, {kind: 'at-once'}] as const) {
    const ns = `ns-${randomUUID()}`;
    await db.addNamespace(ns);
    const store = db.open(ns);
    const sid = randomUUID();
    await store.control.flip(stopText(ns, { id: sid }), null);
    await store.control.flip(releaseText(ns, [sid]), null);
    await owner.query(`insert into killdrill.task (namespace,id,kind,run,tenant,agent,plan,state,admitted_revision) select $1, 't-'||i, 'run','r-'||i, 'ten-'||(i%50),'a','[]','discarded',0 from generate_series(1,100000) i`, [ns]);
    const operator = openOperatorStore({ connectionString: db.flipperUrl, namespace: ns });
    const t0 = performance.now();
    let done = false;
    const p = operator.resume({ kind: 'all' }, staging, { by: 'x', reason: 'y' }).catch((e: unknown) => ({ tasks: String(e), parked: 0 })).finally(() => { done = true; });
    const flips: number[] = [];
    while (!done) {
      const f0 = performance.now();
      const id = randomUUID();
      await store.control.flip(stopText(ns, { id, scope: 'tenant', target: 'nobody', queue: 'park' }), null);
      flips.push(performance.now() - f0);
      await new Promise((r) => setTimeout(r, 30));
    }
    const a = await p;
    flips.sort((x, y) => x - y);
    console.log(staging.kind, 'tasks', a.tasks, 'ms', Math.round(performance.now() - t0), 'flips', flips.length, 'median', flips[flips.length >> 1], 'max', flips.at(-1));
    const { rows } = await owner.query(`select round(extract(epoch from at - lag(at) over (order by id)) * 1000) as ms from killdrill.operator_action where namespace=$1 order by id`, [ns]); console.log(rows.map((r: any) => r.ms).join(" ")); await operator.close();
    await store.close();
  }
  await db.close();
  expect(1).toBe(1);
}, 240000);
