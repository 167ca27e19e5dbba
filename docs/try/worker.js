// Python in a thread of its own, so that the page answers while it computes.
import { loadPyodide } from "./vendor/pyodide/pyodide.mjs";
import { Graphviz } from "./vendor/graphviz/index.js";

const say = (kind, content) => postMessage({ kind, content });

async function start() {
  const [python, graphviz, packages, driver] = await Promise.all([
    loadPyodide(),
    Graphviz.load(),
    fetch("./python.zip").then((response) => response.arrayBuffer()),
    fetch("./driver.py").then((response) => response.text()),
  ]);
  python.unpackArchive(packages, "zip");
  python.FS.writeFile("driver.py", driver);
  const picture = (dot, format) => graphviz.layout(dot, format, "dot");
  python.pyimport("autograd.visualize.graphviz_program").lay_out_with(picture);
  return python.pyimport("driver");
}

const starting = start();
starting.then(() => say("ready", ""), (error) => say("failed", String(error)));

onmessage = async ({ data }) => {
  const driver = await starting;
  let went = false;
  try {
    went = driver.run(data, say);
  } catch (error) {  // the interpreter itself
    say("failed", String(error));
  }
  say("done", went);
};
