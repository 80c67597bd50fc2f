import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const TSX = import.meta.resolve('tsx');
const MAIN = join(root, 'harness/cli/main.ts');
const BOUND_MS = 60_000;

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Somebody who does what a guide says, in a folder of their own; what their program has besides comes with `given`. */
export class Reader {
  readonly folder = mkdtempSync(join(tmpdir(), 'killdrill-reader-'));
  readonly #given: string;
  readonly #env: Readonly<Record<string, string | undefined>>;
  #exports = '';

  constructor(given: string, env: Readonly<Record<string, string>> = {}) {
    this.#given = given;
    // What a command keeps is not to get among what the user of this machine has.
    const kept = { KILLDRILL_KEPT: join(this.folder, 'kept') };
    this.#env = { ...process.env, ...kept, ...env, TSX_TSCONFIG_PATH: join(this.folder, 'tsconfig.json') };
    this.write('package.json', '{ "type": "module" }');
    const paths = { killdrill: [join(root, 'src/index.ts')], 'killdrill/kafka': [join(root, 'src/kafka.ts')] };
    // The project's own root would not hold the reader's folder.
    const compilerOptions = { paths, rootDir: '/', typeRoots: [join(root, 'node_modules/@types')], types: ['node'] };
    this.write(
      'tsconfig.json',
      JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, include: ['*.ts'] }),
    );
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  writeModule(file: string, text: string): void {
    this.write(file, `${this.#given}\n${text}\nexport {};\n`);
  }

  /** What the compiler says of every module that was written. */
  async complaints(): Promise<string> {
    return (await this.#run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.'])).stdout;
  }

  runModule(file: string): Promise<Ended> {
    return this.#run(process.execPath, ['--import', TSX, file]);
  }

  /** One line of a shell block, `npx killdrill` as it is here; what earlier lines exported stands. */
  runCommand(line: string): Promise<Ended> {
    if (line.startsWith('export ')) this.#exports += `${line}\n`;
    const npx = `npx() { shift; '${process.execPath}' --import '${TSX}' '${MAIN}' "$@"; }`;
    return this.#run('bash', ['--norc', '-euc', `${npx}\n${this.#exports}${line}`]);
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #run(command: string, args: readonly string[]): Promise<Ended> {
    return new Promise((resolve) => {
      const options = { cwd: this.folder, env: this.#env, timeout: BOUND_MS };
      execFile(command, args, options, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr }),
      );
    });
  }
}
