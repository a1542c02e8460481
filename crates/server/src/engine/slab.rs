//! Connections by slot and generation.

use crate::event::ConnId;

struct Entry<T> {
    /// Counts how often the slot was freed, so that a name of a former owner names nothing.
    generation: u32,
    value: Option<T>,
}

/// A growing table whose places are used again.
pub(crate) struct Slab<T> {
    entries: Vec<Entry<T>>,
    free: Vec<u32>,
    /// How many were ever put in.
    inserted: u64,
}

impl<T> Slab<T> {
    pub(crate) fn new() -> Slab<T> {
        Slab {
            entries: Vec::new(),
            free: Vec::new(),
            inserted: 0,
        }
    }

    /// How many values it holds.
    pub(crate) fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// How many values were ever put in.
    pub(crate) fn inserted(&self) -> u64 {
        self.inserted
    }

    /// Puts a value in; `None` if four thousand million are in.
    pub(crate) fn insert(&mut self, value: T) -> Option<ConnId> {
        self.inserted += 1;
        if let Some(slot) = self.free.pop() {
            let entry = self.entries.get_mut(slot as usize)?;
            entry.value = Some(value);
            return Some(ConnId {
                slot,
                generation: entry.generation,
            });
        }
        let slot = u32::try_from(self.entries.len()).ok()?;
        self.entries.push(Entry {
            generation: 0,
            value: Some(value),
        });
        Some(ConnId {
            slot,
            generation: 0,
        })
    }

    /// The value that was given this name, if it is still in.
    #[inline]
    pub(crate) fn get(&self, id: ConnId) -> Option<&T> {
        self.entries
            .get(id.slot as usize)
            .filter(|entry| entry.generation == id.generation)?
            .value
            .as_ref()
    }

    /// As `get`, to change it.
    #[inline]
    pub(crate) fn get_mut(&mut self, id: ConnId) -> Option<&mut T> {
        self.entries
            .get_mut(id.slot as usize)
            .filter(|entry| entry.generation == id.generation)?
            .value
            .as_mut()
    }

    /// Takes the value out; its name means nothing from here on.
    pub(crate) fn remove(&mut self, id: ConnId) -> Option<T> {
        let entry = self
            .entries
            .get_mut(id.slot as usize)
            .filter(|entry| entry.generation == id.generation)?;
        let value = entry.value.take()?;
        entry.generation = entry.generation.wrapping_add(1);
        self.free.push(id.slot);
        Some(value)
    }

    /// The name of what stands in a slot now.
    pub(crate) fn name(&self, slot: u32) -> Option<ConnId> {
        let entry = self.entries.get(slot as usize)?;
        entry.value.as_ref().map(|_| ConnId {
            slot,
            generation: entry.generation,
        })
    }

    /// The names of all values.
    pub(crate) fn names(&self) -> Vec<ConnId> {
        (0..)
            .map_while(|slot: u32| self.entries.get(slot as usize).map(|_| slot))
            .filter_map(|slot| self.name(slot))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test fails by panicking.

    use super::*;

    #[test]
    fn a_name_outlives_its_value_without_naming_the_next_one() {
        let mut slab = Slab::new();
        let first = slab.insert("first").unwrap();
        assert_eq!(Some("first"), slab.remove(first));
        let second = slab.insert("second").unwrap();
        assert_eq!(first.slot, second.slot);
        assert_eq!(None, slab.get(first));
        assert_eq!(None, slab.remove(first));
        assert_eq!(Some(&"second"), slab.get(second));
        assert_eq!(1, slab.len());
        assert_eq!(vec![second], slab.names());
    }
}
