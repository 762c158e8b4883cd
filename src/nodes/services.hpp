#pragma once
// What nodes may use of the world, as interfaces; a kind takes only what it names.

#include "flowspan/base/clock.hpp"
#include "nodes/limits.hpp"

namespace flowspan::http {
class HttpClient;
}

namespace flowspan::model {
class ChatModel;
}

namespace flowspan::infra::sandbox {
class Sandbox;
}

namespace flowspan::knowledge {
class KnowledgeStore;
}

namespace flowspan::tools {
class ToolProvider;
}

namespace flowspan::agent {
class Agent;
}

namespace flowspan::nodes {

class ConversationMemory;
class FileStore;

/// Everything here must outlive the nodes that are built with it.
struct Services {
    model::ChatModel& chat_model;
    http::HttpClient& http_client;
    infra::sandbox::Sandbox& sandbox;
    FileStore& file_store;
    const Clock& clock;
    Random& random;
    flowspan::tools::ToolProvider* tools = nullptr;  ///< null: no tool is mapped to anything
    flowspan::agent::Agent* agent = nullptr;         ///< null: agents cannot run
    ConversationMemory* memory = nullptr;            ///< null: no conversation is remembered
    flowspan::knowledge::KnowledgeStore* knowledge = nullptr;  ///< null: there are no datasets
    Limits limits = {};
};

}  // namespace flowspan::nodes
