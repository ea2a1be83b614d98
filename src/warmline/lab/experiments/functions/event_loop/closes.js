// What people do next: the client is closed, so that the event loop becomes empty.
const { MongoClient } = require("mongodb");

exports.handler = (event, context, callback) => {
  const client = new MongoClient(process.env.MONGODB_URI);
  client
    .db("shop")
    .collection("orders")
    .findOne({ _id: event.id })
    .then(async (order) => {
      await client.close();
      callback(null, order);
    })
    .catch(callback);
};
