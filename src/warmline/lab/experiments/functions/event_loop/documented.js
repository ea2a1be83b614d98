// What MongoDB's page says: a callback, and the event loop is not waited for.
const { MongoClient } = require("mongodb");

const orders = new MongoClient(process.env.MONGODB_URI).db("shop").collection("orders");

exports.handler = (event, context, callback) => {
  context.callbackWaitsForEmptyEventLoop = false;
  orders.findOne({ _id: event.id }).then((order) => callback(null, order), callback);
};
