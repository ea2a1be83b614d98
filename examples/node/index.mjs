// A Node.js function with MongoDB's driver: one client for the environment, given back when the environment ends.
import { get, request } from "node:http";
import { MongoClient } from "mongodb";

const client = new MongoClient(process.env.MONGODB_URI);
const orders = client.db("shop").collection("orders");

export const handler = async (event) => orders.findOne({ _id: event.id });

// Lambda sends SIGTERM only where an extension is registered; an internal one will do. It has to be there before the
// module has loaded, asks for no events, and its one call for the next of them waits until the environment ends.
const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2020-01-01/extension`;
await new Promise((resolve, reject) => {
  request(`${api}/register`, { method: "POST", headers: { "Lambda-Extension-Name": "close" } }, (answer) => {
    const headers = { "Lambda-Extension-Identifier": answer.headers["lambda-extension-identifier"] };
    get(`${api}/event/next`, { headers }).on("error", () => {});
    answer.resume().on("end", resolve);
  })
    .on("error", reject)
    .end(JSON.stringify({ events: [] }));
});
process.on("SIGTERM", async () => {
  await client.close();
  console.log("connections are closed");
  process.exit(0);
});
