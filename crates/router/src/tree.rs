//! The tree of segments. A node's depth is the number of segments before it, so a walk visits each node at most once.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::converter::Syntax;
use crate::params::Params;
use crate::pattern::{Pattern, Segment};
use crate::percent;

/// One route as it stands at the end of its pattern: one method of it.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) method: String,
    /// The caller's number for it.
    pub(crate) target: u32,
    /// The pattern as written, for messages.
    pub(crate) pattern: String,
    /// Where the caller's source adds it, for messages.
    pub(crate) source: String,
}

/// A place in the paths: what may follow, and who answers if nothing does. Written by `Router::add` alone.
#[derive(Debug, Default)]
pub(crate) struct Node {
    /// Next segments that are text, by decoded text.
    literals: HashMap<Box<[u8]>, Node, BuildHasherDefault<SegmentHasher>>,
    /// Next segments with a parameter, kept in the order in which they are tried.
    branches: Vec<Branch>,
    /// Routes whose pattern goes on with an empty segment, that is, ends in `/`.
    slash: Vec<Route>,
    /// Routes whose pattern goes on with a `path` parameter.
    rest: Vec<Route>,
    /// Routes whose pattern ends here.
    routes: Vec<Route>,
}

/// A segment with a parameter, and what follows it.
#[derive(Debug)]
struct Branch {
    shape: Shape,
    node: Node,
}

/// What a segment with a parameter must look like.
#[derive(Debug, PartialEq, Eq)]
struct Shape {
    prefix: Box<[u8]>,
    suffix: Box<[u8]>,
    syntax: Syntax,
}

impl Shape {
    /// Sorts as segments are tried: more text first, then the longer prefix, then the stricter syntax.
    /// The texts themselves come last so that the order does not depend on who came first.
    fn rank(&self) -> impl Ord + '_ {
        let text = self.prefix.len() + self.suffix.len();
        let by_length = std::cmp::Reverse((text, self.prefix.len()));
        (by_length, self.syntax, &self.prefix, &self.suffix)
    }

    /// The parameter's place in a decoded segment, if the segment looks like this.
    fn capture(&self, segment: &[u8]) -> Option<(usize, usize)> {
        // Most parameters are a whole segment, and comparing no bytes is not free: a vector memcmp of length 0 takes
        // 40 ns where the address of the empty slice is not mapped.
        let mut inner = segment;
        if !self.prefix.is_empty() {
            inner = inner.strip_prefix(&*self.prefix)?;
        }
        if !self.suffix.is_empty() {
            inner = inner.strip_suffix(&*self.suffix)?;
        }
        self.syntax
            .accepts(inner)
            .then(|| (self.prefix.len(), self.prefix.len() + inner.len()))
    }
}

impl Node {
    /// The routes at the end of a pattern, making the nodes on the way.
    pub(crate) fn routes_at(&mut self, pattern: &Pattern) -> &mut Vec<Route> {
        let mut node = self;
        for segment in pattern.segments() {
            match segment {
                Segment::Literal(text) if text.is_empty() => return &mut node.slash,
                Segment::Literal(text) => {
                    node = node.literals.entry(text.as_slice().into()).or_default();
                }
                Segment::Parameter {
                    prefix,
                    suffix,
                    converter,
                } => {
                    node = node.branch(Shape {
                        prefix: prefix.as_slice().into(),
                        suffix: suffix.as_slice().into(),
                        syntax: converter.syntax(),
                    });
                }
                Segment::Rest => return &mut node.rest,
            }
        }
        &mut node.routes
    }

    fn branch(&mut self, shape: Shape) -> &mut Self {
        let place = match self.branches.iter().position(|known| known.shape == shape) {
            Some(place) => place,
            None => {
                let place = self
                    .branches
                    .partition_point(|known| known.shape.rank() < shape.rank());
                let node = Self::default();
                self.branches.insert(place, Branch { shape, node });
                place
            }
        };
        #[expect(
            clippy::indexing_slicing,
            reason = "the place was found or filled in the lines above"
        )]
        &mut self.branches[place].node
    }

    /// Shows `visit` the routes of each pattern that matches `path[at..]`, best first, until it returns something.
    ///
    /// `at` is the first byte of a segment. With `ENCODED` false the path has no `%` in it. When something is returned,
    /// `params` holds what was captured on the way to it.
    pub(crate) fn walk<'r, const ENCODED: bool, T>(
        &'r self,
        path: &[u8],
        at: usize,
        params: &mut Params,
        visit: &mut impl FnMut(&'r [Route]) -> Option<T>,
    ) -> Option<T> {
        let left = path.get(at..)?;
        let slash = left.iter().position(|byte| *byte == b'/');
        let raw = left.get(..slash.unwrap_or(left.len()))?;
        if raw.is_empty() {
            let ends_here = slash.is_none() && !self.slash.is_empty();
            return ends_here.then(|| visit(&self.slash)).flatten();
        }
        let next = slash.map(|length| at + length + 1);
        let segment = if ENCODED {
            percent::decode(raw)
        } else {
            Cow::Borrowed(raw)
        };
        if let Some(child) = self.literals.get(&*segment) {
            let answer = child.arrive::<ENCODED, T>(path, next, params, visit);
            if answer.is_some() {
                return answer;
            }
        }
        for branch in &self.branches {
            let Some((mut start, mut end)) = branch.shape.capture(&segment) else {
                continue;
            };
            if ENCODED {
                (start, end) = (
                    percent::raw_length(raw, start),
                    percent::raw_length(raw, end),
                );
            }
            params.push(at + start, at + end);
            let answer = branch.node.arrive::<ENCODED, T>(path, next, params, visit);
            if answer.is_some() {
                return answer;
            }
            params.pop();
        }
        if !self.rest.is_empty() && !segment.starts_with(b"/") {
            params.push(at, path.len());
            let answer = visit(&self.rest);
            if answer.is_some() {
                return answer;
            }
            params.pop();
        }
        None
    }

    /// After a segment led here: goes on with the next one, which begins at `next`, or ends.
    fn arrive<'r, const ENCODED: bool, T>(
        &'r self,
        path: &[u8],
        next: Option<usize>,
        params: &mut Params,
        visit: &mut impl FnMut(&'r [Route]) -> Option<T>,
    ) -> Option<T> {
        match next {
            Some(at) => self.walk::<ENCODED, T>(path, at, params, visit),
            None if self.routes.is_empty() => None,
            None => visit(&self.routes),
        }
    }
}

/// A few multiplications instead of SipHash. Peers choose what is looked up but not what is stored, so they cannot make
/// entries collide.
#[derive(Default)]
pub(crate) struct SegmentHasher(u64);

impl SegmentHasher {
    fn add(&mut self, word: u64) {
        self.0 = (self.0 ^ word)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .rotate_left(29);
    }
}

impl Hasher for SegmentHasher {
    fn write(&mut self, bytes: &[u8]) {
        let mut left = bytes;
        while let Some((word, rest)) = left.split_first_chunk::<8>() {
            self.add(u64::from_le_bytes(*word));
            left = rest;
        }
        // The rest in one word: overlapping reads for four bytes and more, one by one below.
        if let (Some(first), Some(last)) = (left.first_chunk::<4>(), left.last_chunk::<4>()) {
            let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
            self.add(u64::from(first) << 32 | u64::from(last));
        } else {
            let word = left
                .iter()
                .fold(0, |word, byte| word << 8 | u64::from(*byte));
            self.add(word);
        }
    }

    fn write_usize(&mut self, length: usize) {
        self.add(length as u64);
    }

    fn finish(&self) -> u64 {
        self.0.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ self.0
    }
}
