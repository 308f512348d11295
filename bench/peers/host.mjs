/** The process that a peer works in: loads the module that it is given and runs its functions on demand. */
const [module] = process.argv.slice(2);
let functions;

process.on('disconnect', () => process.exit());
process.on('message', async (message) => {
  try {
    if (message.kind === 'load') {
      functions = await import(`./${module}`);
      process.send({});
    } else {
      process.send(await measured(() => functions[message.name](message.input)));
    }
  } catch (error) {
    process.send({ error: String(error?.stack ?? error) });
  }
});

async function measured(work) {
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  const result = await work();
  const ms = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { ms, cpuMs: (user + system) / 1000, result };
}
