import { readTraceNow } from '../traffic/trace-file.ts';
import type { Complaint } from './complaint.ts';
import { pathText } from './complaint.ts';
import { describeFound } from './found.ts';
import { readGiven } from './given-trace.ts';
import type { ReadGivenTrace } from './given-trace.ts';
import { figureComplaints, meaningComplaints } from './meaning.ts';
import { resolveScenario } from './resolve.ts';
import { ScenarioError } from './scenario-error.ts';
import type { ScenarioProblem } from './scenario-error.ts';
import type { Scenario } from './scenario.ts';
import { schemaComplaints } from './schema-complaints.ts';
import { scenarioSchema } from './schema.ts';
import { readYaml } from './yaml-text.ts';
import type { TextProblem, YamlText } from './yaml-text.ts';

/**
 * Reads the text of a scenario.
 *
 * @param file how messages name the text
 * @param properties names that `expect.properties` may use
 * @param readTrace how the trace is read that the scenario may name; from its file, unless somebody has read it already
 * @throws ScenarioError with everything that is wrong, in file order
 */
export function parseScenario(
  text: string,
  file: string,
  properties: readonly string[],
  readTrace: ReadGivenTrace = readTraceNow,
): Scenario {
  const yaml = readYaml(text);
  if (!('value' in yaml)) throw new ScenarioError(inOrder(yaml.map((problem) => ofText(problem, file))));
  const given = readGiven(yaml.value, file, readTrace);
  const meaning = meaningComplaints(yaml.value, properties, given.names);
  const complaints = [...shapeComplaints(yaml.value), ...given.complaints, ...meaning];
  if (complaints.length === 0 && yaml.duplicates.length === 0) {
    const scenario = resolveScenario(scenarioSchema.parse(yaml.value), given.trace);
    const figures = figureComplaints(scenario);
    if (figures.length === 0) return scenario;
    complaints.push(...figures);
  }
  const problems = complaints.map((complaint) => placed(complaint, yaml, file));
  throw new ScenarioError(inOrder([...yaml.duplicates.map((problem) => ofText(problem, file)), ...problems]));
}

function shapeComplaints(value: unknown): readonly Complaint[] {
  const expected = 'a map with version, name, fleet, traffic and timeline';
  if (value === null || value === undefined) {
    return [{ path: [], found: 'an empty file', expected, fix: 'start from scenarios/tenant-halt.yaml' }];
  }
  if (typeof value !== 'object' || Array.isArray(value)) {
    return [{ path: [], found: describeFound(value), expected, fix: 'one file describes one drill' }];
  }
  return schemaComplaints(scenarioSchema, value);
}

function placed(complaint: Complaint, yaml: YamlText, file: string): ScenarioProblem {
  const { path, aboutKey = false, found, expected, fix } = complaint;
  return { file, ...yaml.positionOf(path, aboutKey), where: pathText(path), found, expected, fix };
}

function ofText({ line, column, found, expected, fix }: TextProblem, file: string): ScenarioProblem {
  return { file, line, column, where: '', found, expected, fix };
}

/** By place; of several about the same thing (a number that is neither whole nor in range) the first. */
function inOrder(problems: readonly ScenarioProblem[]): readonly ScenarioProblem[] {
  const sorted = problems.toSorted((one, other) => one.line - other.line || one.column - other.column);
  return sorted.filter((problem, i) => {
    const before = sorted[i - 1];
    return (
      before === undefined ||
      before.line !== problem.line ||
      before.column !== problem.column ||
      before.where !== problem.where
    );
  });
}
