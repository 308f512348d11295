import { DropgateError, EXIT } from '../base/errors.js';
import { hashPassword, makeToken } from '../base/secret-hash.js';
import type { Command, CommandContext } from './command.js';

const MIN_LENGTH = 8;
const ENTER = /[\r\n]/;
const CTRL_C = '\u0003';
const ERASE = /[\u007f\b]/;

/** `dropgate hash-password`: makes what `server.auth` keeps instead of a password or token. */
export const hashPasswordCommand: Command = {
  name: 'hash-password',
  argumentsText: '[--token]',
  summary: 'makes the hash of a password, or a token and its hash, for server.auth',
  details: `The password is read from the terminal, without showing it, or from the first line of standard input. It is not kept.

  --token   makes up a bearer token and prints it with its hash; it is shown this once`,
  options: { token: { type: 'boolean' } },
  run,
};

async function run(context: CommandContext): Promise<number> {
  if (context.positionals.length > 0)
    throw new DropgateError('usage', 'hash-password takes no argument', {
      hint: 'A password on the command line would stay in the history of the shell; type it when asked.',
    });
  if (context.values.token) {
    const { token, hash } = makeToken();
    context.out(`token: ${token}`);
    context.out(`token_hash: ${hash}`);
    return EXIT.done;
  }
  const password = process.stdin.isTTY ? await typed() : await firstLine();
  if (password.length < MIN_LENGTH)
    throw new DropgateError('usage', `the password is shorter than ${MIN_LENGTH} characters`);
  context.out(await hashPassword(password));
  return EXIT.done;
}

async function firstLine(): Promise<string> {
  let text = '';
  process.stdin.setEncoding('utf8');
  for await (const chunk of process.stdin) {
    text += chunk;
    if (ENTER.test(text)) break;
  }
  return text.split(ENTER)[0];
}

/** Raw mode shows nothing of what is typed. */
async function typed(): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write('Password: ');
  stdin.setRawMode(true).setEncoding('utf8');
  let text = '';
  try {
    for await (const chunk of stdin) {
      for (const char of chunk as string) {
        if (ENTER.test(char)) return text;
        if (char === CTRL_C) throw new DropgateError('usage', 'given up');
        text = ERASE.test(char) ? [...text].slice(0, -1).join('') : text + char;
      }
    }
    return text;
  } finally {
    stdin.setRawMode(false);
    stderr.write('\n');
  }
}
