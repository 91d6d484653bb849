// Asks a server, by the client library that people use with OpenAI, for what parley's users
// would ask: the URL is the first argument, then the folder of the library, the flavor and the
// key; one JSON object with the findings is printed.
import {createRequire} from 'node:module';
import {pathToFileURL} from 'node:url';

const [url, folder, flavor, key] = process.argv.slice(2);
const entry = createRequire(folder + '/').resolve('openai');
const {OpenAI} = await import(pathToFileURL(entry));
const options = {
  baseURL: url + '/v1', maxRetries: 0, defaultHeaders: {'X-Sim-Flavor': flavor},
};
const client = new OpenAI({apiKey: key, ...options});
const messages = [
  {role: 'system', content: 'You are Ada Quill, lighthouse keeper.\nTopic: the last lamp'},
  {role: 'user', content: 'Bo Marlow: Why is the lamp still lit?'},
];
const model = 'llama3.2';
const state = url + '/_parley/state';
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const schema = {
  type: 'object',
  required: ['name', 'kind'],
  additionalProperties: false,
  properties: {name: {type: 'string'}, kind: {enum: ['person', 'lamp']}},
};

async function streamed() {
  const stream = await client.chat.completions.create(
    {model, messages, stream: true, stream_options: {include_usage: true}});
  const pieces = [];
  let usage = null;
  let reason = null;
  for await (const chunk of stream) {
    const choice = chunk.choices[0];
    if (choice?.delta?.content) pieces.push(choice.delta.content);
    reason = choice?.finish_reason ?? reason;
    usage = chunk.usage ?? usage;
  }
  return {text: pieces.join(''), pieces: pieces.length, usage, reason};
}

async function error(work) {
  try {
    await work();
  } catch (problem) {
    return {name: problem.constructor.name, status: problem.status ?? null,
            message: problem.message};
  }
  return null;
}

// The library's own reading of a stream, which puts the chunks together.
async function accumulated() {
  const stream = client.chat.completions.stream({model, messages});
  return (await stream.finalChatCompletion()).choices[0].message.content;
}

async function faulted(rule, work) {
  const faults = url + '/_parley/faults';
  await fetch(faults, {method: 'POST', body: JSON.stringify([rule])});
  const found = await error(work);
  await fetch(faults, {method: 'DELETE'});
  return found;
}

// How many chunks came, and whether the server saw the client go. It is the server that is asked:
// whether node settles the promise of a body that was aborted is a matter of moments.
async function aborted() {
  const gone = async () => (await (await fetch(state)).json()).clients_gone;
  const before = await gone();
  let count = 0;
  const read = async () => {
    const stream = await client.chat.completions.create({model, messages, stream: true});
    for await (const chunk of stream) {
      if (chunk.choices.length > 0 && ++count === 3) stream.controller.abort();
    }
  };
  read().catch((error) => { if (error.name !== 'AbortError') throw error; });
  const limit = Date.now() + 5000;
  while (await gone() === before && Date.now() < limit) await sleep(20);
  return {chunks: count, gone: await gone() - before};
}

const listed = await client.models.list();
const whole = await client.chat.completions.create({model, messages});
const filled = await client.chat.completions.create({
  model, messages,
  response_format: {type: 'json_schema', json_schema: {name: 'who', strict: true, schema}},
});
console.log(JSON.stringify({
  models: listed.data.map((one) => one.id),
  one: (await client.models.retrieve('tiny')).id,
  whole,
  streamed: await streamed(),
  accumulated: await accumulated(),
  filled: JSON.parse(filled.choices[0].message.content),
  cut: await client.chat.completions.create({model, messages, max_completion_tokens: 3}),
  refused: await error(() => client.chat.completions.create({model: 'no-such-model', messages})),
  stranger: await error(() => new OpenAI({apiKey: 'wrong', ...options}).models.list()),
  busy: await faulted({kind: 'status', status: 429, retry_after: '1'},
    () => client.chat.completions.create({model, messages})),
  broken: await faulted({kind: 'error_line'}, streamed),
  reset: await faulted({kind: 'reset', after_bytes: 300}, streamed),
  aborted: await aborted(),
}));
