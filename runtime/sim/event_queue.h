// What is to happen, in the order of virtual time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "algorithms/contract/time.h"

namespace parley::sim {

enum class EventKind : std::uint8_t {
  frame,      // item: a frame in flight arrives
  step,       // subject: a node takes a turn; item: which of its wishes to be stepped this is
  snapshot,   // one is saved, or cannot be: subject is the node, item its life
  sync,       // subject: a node's disk has finished a sync; item: the life of the node it was for
  request,    // item: a client's request arrives at its node
  reply,      // item: a node's reply arrives at its client
  client,     // subject: a client's timer; item: which of its timers this is
  fault,      // the next fault is due; or, with a subject, one of the kind `item` at that node
  repair,     // item: the network pattern that ends
  scheduled,  // item: a fault of the schedule; subject 0: it begins, 1: it is over
  resume,     // subject: a paused node goes on; item: which of its pauses ends
  restart,    // subject: a crashed node starts again; item: the life that ended
  gather,     // those who are no members are to be added
};

struct Event {
  Instant when;
  std::uint64_t order = 0;  // of scheduling: what is due at one time happens in this order
  std::uint32_t subject = 0;
  std::uint32_t item = 0;
  EventKind kind = EventKind::step;
};

// A priority queue with a strict order, so that it does not depend on the library's heap. Of the
// steps of a node it holds one: a newer wish to be stepped takes the place of the one before, which
// would else wait among the others for its time, to be of no use then.
class EventQueue {
 public:
  void push(Instant when, EventKind kind, std::uint32_t subject, std::uint32_t item) {
    const Event event{when, ++pushed_, subject, item, kind};
    if (kind == EventKind::step) {
      if (steps_.size() <= subject) steps_.resize(subject + 1, kNone);
      steps_[subject] = event;
      return;
    }
    heap_.push_back(event);
    std::push_heap(heap_.begin(), heap_.end(), Later{});
  }

  // Takes out the earliest event, unless it is later than `end`. False if there is none.
  bool pop(Instant end, Event& event) {
    const auto step = std::ranges::max_element(steps_, Later{});
    const bool steps = step != steps_.end() && step->order != 0;
    if (steps && (heap_.empty() || Later{}(heap_.front(), *step))) {
      if (step->when > end) return false;
      event = std::exchange(*step, kNone);
      return true;
    }
    if (heap_.empty() || heap_.front().when > end) return false;
    std::pop_heap(heap_.begin(), heap_.end(), Later{});
    event = heap_.back();
    heap_.pop_back();
    return true;
  }

 private:
  struct Later {
    bool operator()(const Event& a, const Event& b) const {
      return a.when != b.when ? a.when > b.when : a.order > b.order;
    }
  };
  static constexpr Event kNone{kNever, 0, 0, 0, EventKind::step};

  std::vector<Event> heap_;
  std::vector<Event> steps_;  // by subject; kNone where there is none
  std::uint64_t pushed_ = 0;
};

// Things that events refer to by a number, in one array that is reused.
template <class T>
class Slab {
 public:
  std::uint32_t put(T item) {
    if (free_.empty()) {
      items_.push_back(std::move(item));
      return static_cast<std::uint32_t>(items_.size() - 1);
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    items_[slot] = std::move(item);
    return slot;
  }
  T take(std::uint32_t slot) {
    free_.push_back(slot);
    return std::move(items_[slot]);
  }

 private:
  std::vector<T> items_;
  std::vector<std::uint32_t> free_;
};

}  // namespace parley::sim
