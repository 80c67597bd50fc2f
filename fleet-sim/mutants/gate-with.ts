import type { AgentTools } from '../agent-tools.ts';

type AgentGate = AgentTools['gate'];

/** The agents' gate with some of its methods replaced. */
export function gateWith(genuine: AgentGate, bent: Partial<AgentGate>): AgentGate {
  return {
    run: (effect, call) => genuine.run(effect, call),
    enter: (identity, body) => genuine.enter(identity, body),
    enterTask: (task, body) => genuine.enterTask(task, body),
    bind: (capability) => genuine.bind(capability),
    ...bent,
  };
}
