// Asks a server, by the client library that people use with Ollama, for what parley's
// users would ask: the URL is the argument; one JSON object with the findings is printed.
// The library is taken from the folder named by the second argument.
import {createRequire} from 'node:module';
import {pathToFileURL} from 'node:url';

const [url, folder] = process.argv.slice(2);
const entry = createRequire(folder + '/').resolve('ollama');
const {Ollama} = await import(pathToFileURL(entry));
const client = new Ollama({host: url});
const messages = [
  {role: 'system', content: 'You are Ada Quill, lighthouse keeper.\nTopic: the last lamp'},
  {role: 'user', content: 'Bo Marlow: Why is the lamp still lit?'},
];
const model = 'llama3.2';
const schema = {
  type: 'object',
  required: ['name', 'traits', 'kind'],
  properties: {
    name: {type: 'string'},
    traits: {type: 'array', items: {type: 'string'}, minItems: 2, maxItems: 2},
    kind: {enum: ['person', 'lamp']},
  },
};

async function streamed() {
  const pieces = [];
  let last;
  for await (const part of await client.chat({model, messages, stream: true})) {
    pieces.push(part.message.content);
    last = part;
  }
  return {text: pieces.join(''), pieces: pieces.length, last};
}

async function aborted() {
  const stream = await client.chat({model: 'mistral', messages, stream: true});
  try {
    for await (const part of stream) {
      if (part.done) return 'came to its end';
      stream.abort();
    }
  } catch (error) {
    return error.name;
  }
  return 'ended without a word';
}

async function pulled(name) {
  const seen = [];
  for await (const part of await client.pull({model: name, stream: true})) {
    seen.push(part.status);
  }
  return seen;
}

async function unpulled() {
  try {
    await pulled('no-such-model');
  } catch (error) {
    return error.message;
  }
  return null;
}

async function thought(think) {
  return (await client.chat({model: 'qwen3:4b', messages, think})).message;
}

async function refused() {
  try {
    await client.chat({model: 'no-such-model', messages});
  } catch (error) {
    return {status: error.status_code, message: error.message};
  }
  return null;
}

const listed = await client.list();
const whole = await client.chat({model, messages});
const filled = await client.chat({model, messages, format: schema});
const generated = await client.generate({model, prompt: 'Why?', options: {num_predict: 3}});
console.log(JSON.stringify({
  models: listed.models.map((one) => one.name),
  whole,
  streamed: await streamed(),
  filled: JSON.parse(filled.message.content),
  generated,
  shown: (await client.show({model})).details,
  running: (await client.ps()).models.map((one) => one.name),
  thought: await thought(undefined),
  quiet: await thought(false),
  pulled: await pulled('qwen3:8b'),
  unpulled: await unpulled(),
  deleted: await client.delete({model: 'qwen3:8b'}),
  refused: await refused(),
  aborted: await aborted(),
}));
