// What people do wrong: a callback, and the event loop is waited for.
const { MongoClient } = require("mongodb");

const orders = new MongoClient(process.env.MONGODB_URI).db("shop").collection("orders");

exports.handler = (event, context, callback) => {
  orders.findOne({ _id: event.id }).then((order) => callback(null, order), callback);
};
